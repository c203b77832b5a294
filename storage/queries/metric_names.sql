-- Every metric that was received, with its type, unit, sender and number of series.
SELECT metric, toString(any(type)) AS type_name, any(unit) AS metric_unit, service, uniqExact(series_id) AS series,
    max(last_seen) AS seen
FROM metric_series
GROUP BY metric, service
ORDER BY metric, service
