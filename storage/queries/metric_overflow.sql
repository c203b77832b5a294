-- Points in [start, end] of what overflowed of one kind of a metric, whatever their attributes were.
SELECT count() AS points
FROM /*points*/
WHERE metric = {metric:String}
    AND series_id IN
    (
        SELECT series_id FROM metric_series
        WHERE metric = {metric:String} AND type = {type:String} AND unit = {unit:String}
            AND temporality = {temporality:String} AND monotonic = {monotonic:Bool}
            AND month >= toStartOfMonth(fromUnixTimestamp64Nano({start_ns:Int64}, 'UTC'))
            AND ({service:String} = '' OR service = {service:String})
            AND ({environment:String} = '' OR environment = {environment:String})
            AND origin_id = 0
    )
    AND toStartOfHour(ts) >= toStartOfHour(fromUnixTimestamp64Nano({start_ns:Int64}, 'UTC'))
    AND ts >= fromUnixTimestamp64Nano({start_ns:Int64}, 'UTC') AND ts <= fromUnixTimestamp64Nano({end_ns:Int64}, 'UTC')
    AND original_ns = 0
