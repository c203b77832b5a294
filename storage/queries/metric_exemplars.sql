-- The newest exemplars of the series that a query asks for, in [start, end).
SELECT
    toUnixTimestamp64Nano(e.ts) AS at_ns, e.value AS value, e.exact_int AS exact_int,
    if(e.trace_id = toFixedString('', 16), '', lower(hex(e.trace_id))) AS trace_id_hex,
    if(e.span_id = toFixedString('', 8), '', lower(hex(e.span_id))) AS span_id_hex,
    mapApply((k, v) -> (toValidUTF8(k), hex(v)), e.attributes) AS attributes_hex,
    arrayMap(label -> toValidUTF8(label), s.labels) AS labels
FROM exemplars AS e
INNER JOIN (/*selected*/) AS s ON s.series_id = e.series_id
WHERE e.metric = {metric:String} AND e.series_id IN (SELECT series_id FROM (/*selected*/))
    AND toStartOfHour(e.ts) >= toStartOfHour(fromUnixTimestamp64Nano({start_ns:Int64}, 'UTC'))
    AND e.ts >= fromUnixTimestamp64Nano({start_ns:Int64}, 'UTC') AND e.ts < fromUnixTimestamp64Nano({end_ns:Int64}, 'UTC')
ORDER BY e.ts DESC
LIMIT {limit:UInt32}
