-- The series that SLIs over metrics select, each with the labels of its group: part of other queries. Each selector is one
-- row of arrays that are joined here. kind: 1 a counter, 2 a histogram, 3 a gauge. An attribute of a point goes before
-- one of its resource. What overflowed is of no single origin and makes sense as the increases of deltas only.
SELECT
    series_id, sli, role, shape, threshold, temporality = 'delta' AS delta,
    arrayMap(key -> multiIf(
        mapContains(attributes, key), toValidUTF8(otlp_text(attributes[key])),
        origin_id = 0, '__other__',
        key = 'service.name', toString(service),
        key = 'deployment.environment.name', toString(environment),
        toValidUTF8(otlp_text(resource[key]))), label_names) AS labels
FROM metric_series AS s
LEFT ANY JOIN
(
    SELECT origin_id, attributes AS resource FROM origins WHERE service IN {services:Array(String)}
) AS o ON o.origin_id = s.origin_id
ARRAY JOIN
    {slis:Array(UInt64)} AS sli, {roles:Array(UInt8)} AS role, {shapes:Array(UInt8)} AS shape,
    {kinds:Array(UInt8)} AS kind, {thresholds:Array(Float64)} AS threshold,
    {metrics:Array(String)} AS of_metric, {services:Array(String)} AS of_service,
    {any_environments:Array(Bool)} AS any_environment, {environments:Array(String)} AS of_environment,
    {keys:Array(Array(String))} AS of_keys, {values:Array(Array(String))} AS of_values,
    {label_names:Array(Array(String))} AS label_names
WHERE metric IN {metrics:Array(String)} AND service IN {services:Array(String)}
    AND metric = of_metric AND service = of_service AND (any_environment OR environment = of_environment)
    AND month >= toStartOfMonth(fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC') - 7200)
    AND arrayAll((key, value) -> if(mapContains(attributes, key), otlp_text(attributes[key]), otlp_text(resource[key])) = value
        AND (mapContains(attributes, key) OR mapContains(resource, key)), of_keys, of_values)
    AND (origin_id != 0 OR temporality = 'delta')
    AND multiIf(
        kind = 1, type = 'sum' AND (monotonic OR temporality = 'delta'),
        kind = 2, type IN ('histogram', 'exponential_histogram'),
        type = 'gauge' OR (type = 'sum' AND NOT monotonic AND temporality = 'cumulative'))
LIMIT 1 BY series_id, sli, role
