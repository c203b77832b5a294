-- How far the past of every SLI is counted, newest backfill first.
SELECT
    series, slo_id, toString(source) AS source_name, covers_from, covers_until, done_until, started_at, finished_at, minutes
FROM sli_backfills FINAL
ORDER BY started_at DESC, slo_id, series, source
