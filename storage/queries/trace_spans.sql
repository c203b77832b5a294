-- All spans of one trace between two times, with their resource. Attributes may hold any bytes; JSON and the client
-- library want valid UTF-8.
SELECT
    toUnixTimestamp64Nano(s.ts) AS start_ns,
    lower(hex(s.span_id)) AS span_id_hex,
    if(s.parent_span_id = toFixedString('', 8), '', lower(hex(s.parent_span_id))) AS parent_id_hex,
    s.service, s.environment, s.version, s.name, toString(s.kind) AS kind_name, s.duration_ns,
    toString(s.status) AS status_name, toValidUTF8(s.status_message) AS message, s.error, s.scope_name,
    mapApply((k, v) -> (toValidUTF8(k), toValidUTF8(v)), s.attr_str) AS attr_str,
    mapApply((k, v) -> (toValidUTF8(k), v), s.attr_int) AS attr_int,
    mapApply((k, v) -> (toValidUTF8(k), v), s.attr_num) AS attr_num,
    mapApply((k, v) -> (toValidUTF8(k), v), s.attr_bool) AS attr_bool,
    mapApply((k, v) -> (toValidUTF8(k), hex(v)), s.attr_raw) AS attr_raw_hex,
    arrayMap(t -> toUnixTimestamp64Nano(t), s.`events.ts`) AS event_ns,
    arrayMap(x -> toValidUTF8(x), s.`events.name`) AS event_names,
    arrayMap(list -> arrayMap(x -> hex(x), list), s.`events.attributes`) AS event_attributes_hex,
    arrayMap(x -> lower(hex(x)), s.`links.trace_id`) AS link_traces,
    arrayMap(x -> lower(hex(x)), s.`links.span_id`) AS link_spans,
    arrayMap(list -> arrayMap(x -> hex(x), list), s.`links.attributes`) AS link_attributes_hex,
    mapApply((k, v) -> (toValidUTF8(k), toValidUTF8(v)), r.attr_str) AS resource_str,
    mapApply((k, v) -> (toValidUTF8(k), v), r.attr_int) AS resource_int,
    mapApply((k, v) -> (toValidUTF8(k), v), r.attr_num) AS resource_num,
    mapApply((k, v) -> (toValidUTF8(k), v), r.attr_bool) AS resource_bool,
    mapApply((k, v) -> (toValidUTF8(k), hex(v)), r.attr_raw) AS resource_raw_hex
FROM
(
    SELECT * FROM spans
    WHERE toStartOfFiveMinutes(ts) >= toStartOfFiveMinutes({start:DateTime64(9, 'UTC')})
        AND toStartOfFiveMinutes(ts) <= toStartOfFiveMinutes({end:DateTime64(9, 'UTC')})
        AND trace_id = unhex({trace_id:String})
    ORDER BY ts, span_id
    LIMIT 1 BY span_id
    LIMIT {limit:UInt32}
) AS s
LEFT ANY JOIN (SELECT * FROM resources ORDER BY last_seen DESC LIMIT 1 BY resource_id) AS r ON r.resource_id = s.resource_id
ORDER BY start_ns
