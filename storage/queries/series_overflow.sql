-- Services with more metric series than the limit since a time. What overflowed already is not counted.
SELECT toString(service) AS service_name, toString(environment) AS environment_name, uniqExact(series_id) AS series
FROM metric_series
WHERE month >= toStartOfMonth({since:DateTime('UTC')}) AND last_seen >= {since:DateTime('UTC')} AND origin_id != 0
GROUP BY service, environment
HAVING series > {limit:UInt64}
