-- Series of an insert that have not been seen in the last ten minutes: writing all of them at every insert would cost more
-- than writing their points. What has no origin is the rest of a service that sends too many: see metric_decoded_mv.
CREATE MATERIALIZED VIEW metric_series_mv TO metric_series AS
SELECT
    metric, series_id, type, unit, description, temporality, monotonic, service, environment, origin_id,
    if(origin_id = 0, map('otel.metric.overflow', '\n\t__other__'), mapFromArrays(p.attributes.key, p.attributes.value))
        AS attributes,
    toStartOfMonth(now('UTC')) AS month,
    now('UTC') AS last_seen
FROM
(
    SELECT metric, series_id, type, unit, description, temporality, monotonic, service, environment, origin_id, p
    FROM metric_decoded
    WHERE series_id NOT IN
    (
        SELECT series_id FROM metric_series
        WHERE month = toStartOfMonth(now('UTC')) AND last_seen > now('UTC') - 600
    )
    LIMIT 1 BY series_id
)
