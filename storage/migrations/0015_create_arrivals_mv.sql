-- Note the minutes that an insert touched.
CREATE MATERIALIZED VIEW arrivals_mv TO arrivals AS
SELECT now('UTC') AS arrived, service, environment, toStartOfMinute(ts) AS minute
FROM spans
WHERE NOT quarantined
GROUP BY service, environment, minute
