-- What is needed of the spans of some traces to charge a request. Each place is 40 hexadecimal digits: the five minutes
-- (seconds since 1970) and the trace id, which is how the table is ordered. failures_only: failing spans, and those of
-- called services, which show that a call arrived.
SELECT
    lower(hex(trace_id)) AS trace_id_hex,
    lower(hex(span_id)) AS span_id_hex,
    lower(hex(parent_span_id)) AS parent_id_hex,
    service, name, toString(kind) AS kind_name,
    toUnixTimestamp64Nano(ts) AS start_ns,
    duration_ns, error
FROM spans
WHERE (toStartOfFiveMinutes(ts), trace_id) IN
    (
        SELECT
            toDateTime(reinterpretAsUInt32(reverse(unhex(substring(place, 1, 8)))), 'UTC'),
            toFixedString(unhex(substring(place, 9, 32)), 16)
        FROM
        (
            SELECT arrayJoin(arrayMap(n -> substring({places:String}, 40 * n + 1, 40), range(intDiv(length({places:String}), 40)))) AS place
        )
    )
    AND NOT quarantined
    AND (NOT {failures_only:Bool} OR error OR kind IN ('server', 'consumer'))
ORDER BY trace_id, ts, ids
LIMIT {limit:UInt32} BY trace_id
