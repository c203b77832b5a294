-- Who sends a series, and its attributes.
SELECT
    toString(m.series_id) AS id, any(m.service) AS service_name, any(m.environment) AS environment_name,
    toValidUTF8(otlp_text(any(o.attributes)['service.instance.id'])) AS instance,
    mapApply((k, v) -> (toValidUTF8(k), hex(v)), any(m.attributes)) AS attributes_hex
FROM metric_series AS m
LEFT ANY JOIN origins AS o ON o.origin_id = m.origin_id
WHERE m.metric = {metric:String} AND has({series:Array(UInt64)}, m.series_id)
GROUP BY m.series_id
