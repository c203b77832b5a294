-- The newest report of each signal of each collector.
SELECT *
FROM ingest_stats
WHERE at >= {since:DateTime('UTC')} AND toDate(at) >= toDate({since:DateTime('UTC')})
ORDER BY collector, signal, at DESC, final DESC
LIMIT 1 BY collector, signal
