-- OTLP requests become a row for each scope: who sent it, and its metrics as they came.
CREATE MATERIALIZED VIEW scope_metrics_mv TO scope_metrics AS
WITH
    mapFromArrays(rm.resource.attributes.key, rm.resource.attributes.value) AS r,
    if(length(r['service.name']) > 2 AND startsWith(r['service.name'], '\n'),
        leftUTF8(toValidUTF8(otlp_string(r['service.name'])), 255), 'unknown_service') AS service_name
SELECT
    received_at,
    sipHash64(rm.resource, rm.schema_url, sm.scope, sm.schema_url) AS origin_id,
    service_name AS service,
    toValidUTF8(otlp_string(if(r['deployment.environment.name'] != '', r['deployment.environment.name'],
        r['deployment.environment']))) AS environment,
    toValidUTF8(otlp_string(r['service.version'])) AS version,
    r AS attributes,
    rm.resource.dropped_attributes_count AS dropped_attributes,
    rm.schema_url AS schema_url,
    sm.scope AS scope,
    sm.schema_url AS scope_schema_url,
    sm.metrics AS metrics
FROM
(
    SELECT received_at, rm, arrayJoin(rm.scope_metrics) AS sm
    FROM (SELECT received_at, arrayJoin(resource_metrics) AS rm FROM otlp_metrics)
)
