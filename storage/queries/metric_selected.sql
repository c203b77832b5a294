-- The series of one kind of a metric that a query asks for, each with the labels of its group: part of other queries.
-- What overflowed is one series of no single origin, whose attributes nobody knows.
SELECT
    series_id,
    if({by_series:Bool}, [toString(series_id)], arrayMap(
        key -> multiIf(key = 'service', toString(service), key = 'environment', toString(environment),
            origin_id = 0, '__other__', toValidUTF8(otlp_text(attributes[key]))),
        {group_by:Array(String)})) AS labels
FROM metric_series
WHERE metric = {metric:String} AND type = {type:String} AND unit = {unit:String}
    AND temporality = {temporality:String} AND monotonic = {monotonic:Bool}
    AND month >= toStartOfMonth(fromUnixTimestamp64Nano({start_ns:Int64}, 'UTC'))
    AND ({service:String} = '' OR service = {service:String})
    AND ({environment:String} = '' OR environment = {environment:String})
    AND ({with_overflow:Bool} OR origin_id != 0)
    AND arrayAll((key, value) -> mapContains(attributes, key) AND otlp_text(attributes[key]) = value,
        {attribute_keys:Array(String)}, {attribute_values:Array(String)})
LIMIT 1 BY series_id
