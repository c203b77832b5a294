-- The shape of one trace between two times: who called whom, when, and what failed. Narrow columns only.
SELECT
    lower(hex(span_id)) AS span_id_hex,
    if(parent_span_id = toFixedString('', 8), '', lower(hex(parent_span_id))) AS parent_id_hex,
    service, name, toString(kind) AS kind_name, toUnixTimestamp64Nano(ts) AS start_ns, duration_ns, error,
    toValidUTF8(status_message) AS message
FROM spans
WHERE toStartOfFiveMinutes(ts) >= toStartOfFiveMinutes({start:DateTime64(9, 'UTC')})
    AND toStartOfFiveMinutes(ts) <= toStartOfFiveMinutes({end:DateTime64(9, 'UTC')})
    AND trace_id = unhex({trace_id:String})
ORDER BY ts, ids
LIMIT 1 BY ids
LIMIT {limit:UInt32}
