-- Newest traces that hold a matching span, with what the index knows of them.
SELECT
    lower(hex(i.trace_id)) AS trace_id_hex,
    toUnixTimestamp64Nano(min(i.start_ts)) AS start_ns,
    toUnixTimestamp64Nano(max(i.end_ts)) AS end_ns,
    max(i.root_service) AS root_service,
    max(i.root_name) AS root_name,
    sum(i.spans) AS span_count,
    sum(i.errors) AS error_count,
    groupUniqArrayArray(i.services) AS service_names
FROM trace_index AS i
WHERE i.day >= toDate({start:DateTime('UTC')}) - 1 AND i.trace_id IN
(
    SELECT trace_id
    FROM spans
    WHERE toStartOfFiveMinutes(ts) >= toStartOfFiveMinutes({start:DateTime('UTC')})
        AND ts >= {start:DateTime('UTC')} AND ts < {end:DateTime('UTC')}
        AND ({service:String} = '' OR service = {service:String})
        AND ({operation:String} = '' OR name = {operation:String})
        AND (NOT {errors_only:Bool} OR error)
        AND duration_ns >= {min_duration_ns:UInt64}
        AND NOT quarantined
    GROUP BY trace_id
    ORDER BY max(ts) DESC
    LIMIT {limit:UInt32}
)
GROUP BY i.trace_id
ORDER BY start_ns DESC
