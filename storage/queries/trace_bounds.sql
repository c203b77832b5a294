-- When a trace ran, from the index, and how many spans of it are pinned, of how many. No row: there is no such trace.
SELECT min(first_at) AS first_at, max(last_at) AS last_at, sum(kept) AS pinned, max(spans) AS pinned_of
FROM
(
    SELECT start_ts AS first_at, end_ts AS last_at, 0 AS kept, 0 AS spans
    FROM trace_index
    WHERE trace_id = unhex({trace_id:String})
    UNION ALL
    SELECT min(ts), max(ts + toIntervalNanosecond(least(duration_ns, 604800000000000))), uniqExact(ids), max(trace_spans)
    FROM pinned_spans
    WHERE trace_id = unhex({trace_id:String})
    HAVING count() > 0
)
HAVING count() > 0
