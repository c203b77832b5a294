-- All spans of one trace between two times, of the raw ones or of those that are pinned, with their origin. Attribute
-- values, events and links are the hex of their OTLP bytes; names may hold any bytes, and JSON wants valid UTF-8.
SELECT
    toUnixTimestamp64Nano(s.ts) AS start_ns,
    lower(hex(s.span_id)) AS span_id_hex,
    if(s.parent_span_id = toFixedString('', 8), '', lower(hex(s.parent_span_id))) AS parent_id_hex,
    s.service, s.environment, s.version, s.name, toString(s.kind) AS kind_name, s.duration_ns,
    toString(s.status) AS status_name, toValidUTF8(s.status_message) AS message, s.error,
    toValidUTF8(s.trace_state) AS state, s.flags, s.weight, s.quarantined, s.original_start_ns, s.original_end_ns,
    mapApply((k, v) -> (toValidUTF8(k), hex(v)), s.attributes) AS attributes_hex,
    s.dropped_attributes,
    arrayMap(x -> hex(x), s.events) AS events_hex,
    s.dropped_events,
    arrayMap(x -> hex(x), s.links) AS links_hex,
    s.dropped_links,
    lower(hex(s.origin_id)) AS origin
FROM /*spans*/ AS s
WHERE toStartOfFiveMinutes(ts) >= toStartOfFiveMinutes({start:DateTime64(9, 'UTC')})
    AND toStartOfFiveMinutes(ts) <= toStartOfFiveMinutes({end:DateTime64(9, 'UTC')})
    AND trace_id = unhex({trace_id:String})
ORDER BY ts, span_id
LIMIT 1 BY span_id
LIMIT {limit:UInt32}
