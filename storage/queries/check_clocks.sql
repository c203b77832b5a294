-- Spans whose time could not be believed, and how far it was off.
SELECT
    service, environment,
    count() AS spans,
    countIf(quarantined) AS quarantined_spans,
    countIf(quarantined AND original_start_ns = 0) AS without_time,
    medianIf((toFloat64(original_start_ns) - toUnixTimestamp64Nano(ts)) / 1e9, quarantined AND original_start_ns > 0)
        AS median_skew_s,
    arrayMap(x -> lower(hex(x)), groupUniqArrayIf(3)(trace_id, quarantined)) AS examples
FROM spans
WHERE toStartOfFiveMinutes(ts) >= toStartOfFiveMinutes({start:DateTime('UTC')}) AND ts >= {start:DateTime('UTC')}
    AND ({service:String} = '' OR service = {service:String})
GROUP BY service, environment
HAVING quarantined_spans > 0
ORDER BY service, environment
