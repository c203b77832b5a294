-- The series of one kind of a metric that a query asks for, each with the labels of its group: part of other queries.
-- What overflowed is one series of no single origin, whose attributes nobody knows.
SELECT series_id/*group_labels*/
FROM metric_series
WHERE metric = {metric:String} AND type = {type:String} AND unit = {unit:String}
    AND temporality = {temporality:String} AND monotonic = {monotonic:Bool}
    AND month >= toStartOfMonth(fromUnixTimestamp64Nano({start_ns:Int64}, 'UTC'))
    AND ({service:String} = '' OR service = {service:String})
    AND ({environment:String} = '' OR environment = {environment:String})
    AND ({with_overflow:Bool} OR origin_id != 0)
    /*with_attributes*/
LIMIT 1 BY series_id
