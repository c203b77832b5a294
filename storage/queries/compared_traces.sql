-- How many traces had a request on each side of a comparison.
SELECT side, uniqExact(trace_id) AS traces
FROM
(
    SELECT trace_id, /*side*/ AS side
    FROM spans
    WHERE /*times*/ AND kind IN ('server', 'consumer') AND NOT quarantined
        AND ({any_environment:Bool} OR environment = {environment:String})
)
WHERE side != ''
GROUP BY side
SETTINGS max_execution_time = 20, max_memory_usage = 1000000000
