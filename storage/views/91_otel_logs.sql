-- Log records under the names of the OpenTelemetry Collector's ClickHouse exporter, so that its users' queries run here.
CREATE VIEW otel_logs AS
SELECT
    l.ts AS Timestamp,
    toDateTime(l.ts) AS TimestampTime,
    if(l.trace_id = toFixedString('', 16), '', lower(hex(l.trace_id))) AS TraceId,
    if(l.span_id = toFixedString('', 8), '', lower(hex(l.span_id))) AS SpanId,
    toUInt8(bitAnd(l.flags, 255)) AS TraceFlags,
    l.severity_text AS SeverityText,
    l.severity_number AS SeverityNumber,
    l.service AS ServiceName,
    if(l.body IN ('', '\n\0'), l.body_text, otlp_text(l.body)) AS Body,
    o.schema_url AS ResourceSchemaUrl,
    mapApply((k, v) -> (k, otlp_text(v)), o.attributes) AS ResourceAttributes,
    o.scope_schema_url AS ScopeSchemaUrl,
    o.scope_name AS ScopeName,
    o.scope_version AS ScopeVersion,
    mapApply((k, v) -> (k, otlp_text(v)), o.scope_attributes) AS ScopeAttributes,
    mapApply((k, v) -> (k, otlp_text(v)), l.attributes) AS LogAttributes,
    l.event_name AS EventName
FROM logs AS l
LEFT ANY JOIN origins AS o ON o.origin_id = l.origin_id
