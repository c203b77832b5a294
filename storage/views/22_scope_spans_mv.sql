-- OTLP requests become a row for each scope: who sent it, and its spans as they came.
CREATE MATERIALIZED VIEW scope_spans_mv TO scope_spans AS
WITH
    mapFromArrays(rs.resource.attributes.key, rs.resource.attributes.value) AS r,
    if(length(r['service.name']) > 2 AND startsWith(r['service.name'], '\n'),
        leftUTF8(toValidUTF8(otlp_string(r['service.name'])), 255), 'unknown_service') AS service_name
SELECT
    received_at,
    sipHash64(rs.resource, rs.schema_url, ss.scope, ss.schema_url) AS origin_id,
    service_name AS service,
    toValidUTF8(otlp_string(if(r['deployment.environment.name'] != '', r['deployment.environment.name'],
        r['deployment.environment']))) AS environment,
    toValidUTF8(otlp_string(r['service.version'])) AS version,
    transform(service_name, /*sampled_services*/, /*sampled_one_in*/, toUInt32(1)) AS sampled_one_in,
    r AS attributes,
    rs.resource.dropped_attributes_count AS dropped_attributes,
    rs.schema_url AS schema_url,
    ss.scope AS scope,
    ss.schema_url AS scope_schema_url,
    ss.spans AS spans
FROM
(
    SELECT received_at, rs, arrayJoin(rs.scope_spans) AS ss
    FROM (SELECT received_at, arrayJoin(resource_spans) AS rs FROM otlp_traces)
)
