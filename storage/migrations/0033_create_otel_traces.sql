-- Spans under the names of the OpenTelemetry Collector's ClickHouse exporter, so that its users' queries run here.
CREATE VIEW otel_traces AS
WITH
    (s, i, n, b) -> CAST(mapConcat(
        CAST(s AS Map(String, String)),
        mapApply((k, v) -> (toString(k), toString(v)), i),
        mapApply((k, v) -> (toString(k), toString(v)), n),
        mapApply((k, v) -> (toString(k), if(v, 'true', 'false')), b)) AS Map(String, String)) AS texts
SELECT
    s.ts AS Timestamp,
    lower(hex(s.trace_id)) AS TraceId,
    lower(hex(s.span_id)) AS SpanId,
    if(s.parent_span_id = toFixedString('', 8), '', lower(hex(s.parent_span_id))) AS ParentSpanId,
    s.trace_state AS TraceState,
    s.name AS SpanName,
    initcap(toString(s.kind)) AS SpanKind,
    s.service AS ServiceName,
    texts(r.attr_str, r.attr_int, r.attr_num, r.attr_bool) AS ResourceAttributes,
    s.scope_name AS ScopeName,
    s.scope_version AS ScopeVersion,
    texts(s.attr_str, s.attr_int, s.attr_num, s.attr_bool) AS SpanAttributes,
    s.duration_ns AS Duration,
    initcap(toString(s.status)) AS StatusCode,
    s.status_message AS StatusMessage,
    s.`events.ts` AS `Events.Timestamp`,
    s.`events.name` AS `Events.Name`,
    arrayMap(x -> lower(hex(x)), s.`links.trace_id`) AS `Links.TraceId`,
    arrayMap(x -> lower(hex(x)), s.`links.span_id`) AS `Links.SpanId`
FROM spans AS s
LEFT ANY JOIN resources AS r ON r.resource_id = s.resource_id
