-- OTLP requests become a row for each scope: who sent it, and its records as they came.
CREATE MATERIALIZED VIEW scope_logs_mv TO scope_logs AS
WITH
    mapFromArrays(rl.resource.attributes.key, rl.resource.attributes.value) AS r,
    if(length(r['service.name']) > 2 AND startsWith(r['service.name'], '\n'),
        leftUTF8(toValidUTF8(otlp_string(r['service.name'])), 255), 'unknown_service') AS service_name
SELECT
    toUInt64(toUnixTimestamp64Nano(received_at)) AS received_ns,
    sipHash64(rl.resource, rl.schema_url, sl.scope, sl.schema_url) AS origin_id,
    service_name AS service,
    toValidUTF8(otlp_string(if(r['deployment.environment.name'] != '', r['deployment.environment.name'],
        r['deployment.environment']))) AS environment,
    toValidUTF8(otlp_string(r['service.version'])) AS version,
    r AS attributes,
    rl.resource.dropped_attributes_count AS dropped_attributes,
    rl.schema_url AS schema_url,
    sl.scope AS scope,
    sl.schema_url AS scope_schema_url,
    sl.log_records AS log_records
FROM
(
    SELECT received_at, rl, arrayJoin(rl.scope_logs) AS sl
    FROM (SELECT received_at, arrayJoin(resource_logs) AS rl FROM otlp_logs)
)
