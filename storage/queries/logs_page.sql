-- Log records between two times, newest first, in an order that does not change from page to page.
SELECT
    at_ns, observed_ns, trace_id_hex, span_id_hex, l.flags AS trace_flags, l.severity_number AS severity,
    l.severity_text AS severity_name, l.service AS service_name, l.environment AS environment_name,
    hex(l.body) AS body_hex, toValidUTF8(if(l.body = '', l.body_text, '')) AS text, l.event_name AS event,
    mapApply((k, v) -> (toValidUTF8(k), hex(v)), l.attributes) AS attributes_hex,
    l.dropped_attributes AS dropped,
    toValidUTF8(o.scope_name) AS scope,
    mapApply((k, v) -> (toValidUTF8(k), hex(v)), o.attributes) AS resource_hex
FROM
(
    SELECT
        *,
        toUnixTimestamp64Nano(ts) AS at_ns, toUnixTimestamp64Nano(observed_ts) AS observed_ns,
        if(trace_id = toFixedString('', 16), '', lower(hex(trace_id))) AS trace_id_hex,
        if(span_id = toFixedString('', 8), '', lower(hex(span_id))) AS span_id_hex
    FROM logs
    WHERE /*which*/ AND ts >= fromUnixTimestamp64Nano({last_ns:Int64}, 'UTC')
    ORDER BY ts DESC, service, origin_id, span_id, body_text, sipHash64(attributes)
    LIMIT {skip:UInt64}, {limit:UInt64}
) AS l
LEFT ANY JOIN
(
    SELECT origin_id, scope_name, attributes FROM origins
    WHERE origin_id IN (SELECT origin_id FROM logs WHERE /*which*/ AND ts >= fromUnixTimestamp64Nano({last_ns:Int64}, 'UTC'))
) AS o ON o.origin_id = l.origin_id
ORDER BY at_ns DESC, service_name, l.origin_id, l.span_id, l.body_text, sipHash64(l.attributes)
