-- Note the minutes that points of an insert lie in: what the evaluator has to count again.
CREATE MATERIALIZED VIEW metric_arrivals_mv TO arrivals AS
SELECT now('UTC') AS arrived, service, environment, toStartOfMinute(ts) AS minute
FROM metric_decoded
GROUP BY service, environment, minute
