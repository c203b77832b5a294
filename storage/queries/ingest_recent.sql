-- Reports of all collectors since a moment.
SELECT *
FROM ingest_stats
WHERE at >= {since:DateTime('UTC')} AND toDate(at) >= toDate({since:DateTime('UTC')})
ORDER BY at, collector, signal, final DESC
LIMIT 1 BY collector, signal, started_at, at
