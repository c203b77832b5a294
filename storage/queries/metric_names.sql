-- Every metric that was received since a month, with its type, unit, senders and number of series.
SELECT
    metric, toString(type) AS type_name, unit, any(description) AS description_text,
    toString(temporality) AS temporality_name, monotonic,
    arraySort(groupUniqArray(toString(service))) AS services,
    uniqExact(series_id) AS series,
    max(last_seen) AS seen
FROM metric_series
WHERE month >= toStartOfMonth({since:DateTime('UTC')})
    AND ({service:String} = '' OR service = {service:String})
    AND ({metric:String} = '' OR metric = {metric:String})
GROUP BY metric, type, unit, temporality, monotonic
ORDER BY metric, seen DESC, type, unit
