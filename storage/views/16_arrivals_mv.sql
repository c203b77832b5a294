-- Note the minutes that an insert touched.
CREATE MATERIALIZED VIEW arrivals_mv TO arrivals AS
SELECT now('UTC') AS arrived, service, environment, t AS minute
FROM span_groups
GROUP BY service, environment, minute
