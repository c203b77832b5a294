-- Origins of the metrics of an insert, one row for each distinct resource and scope.
CREATE MATERIALIZED VIEW metric_origins_mv TO origins AS
SELECT
    origin_id, service, environment, version, attributes, dropped_attributes,
    toValidUTF8(schema_url) AS schema_url,
    toValidUTF8(scope.name) AS scope_name,
    toValidUTF8(scope.version) AS scope_version,
    mapFromArrays(scope.attributes.key, scope.attributes.value) AS scope_attributes,
    scope.dropped_attributes_count AS scope_dropped_attributes,
    toValidUTF8(scope_schema_url) AS scope_schema_url,
    toStartOfMonth(now('UTC')) AS month,
    now('UTC') AS last_seen
FROM scope_metrics
LIMIT 1 BY origin_id
