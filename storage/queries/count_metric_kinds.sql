-- What the metrics that SLIs name were sent as lately, by service: to say why nothing is counted.
SELECT toString(metric) AS metric_name, toString(service) AS service_name, arraySort(groupUniqArray(toString(type))) AS types
FROM metric_series
WHERE metric IN {metrics:Array(String)} AND service IN {services:Array(String)}
    AND month >= toStartOfMonth(fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC') - 7200)
GROUP BY metric_name, service_name
