-- The series of an insert.
CREATE MATERIALIZED VIEW metric_series_mv TO metric_series AS
SELECT
    metric, series_id,
    any(type) AS type,
    any(unit) AS unit,
    any(description) AS description,
    CAST(if(any(temporality) BETWEEN 0 AND 2, any(temporality), 0) AS
        Enum8('unspecified' = 0, 'delta' = 1, 'cumulative' = 2)) AS temporality,
    any(monotonic) AS monotonic,
    service,
    any(environment) AS environment,
    any(resource_id) AS resource_id,
    any(scope_name) AS scope_name,
    any(attributes) AS attributes,
    toStartOfMonth(now('UTC')) AS month,
    now('UTC') AS last_seen
FROM metric_decoded
GROUP BY metric, service, series_id
