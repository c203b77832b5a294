-- When a trace ran, from the index. No row: there is no such trace.
SELECT min(start_ts) AS first_at, max(end_ts) AS last_at
FROM trace_index
WHERE trace_id = unhex({trace_id:String})
HAVING count() > 0
