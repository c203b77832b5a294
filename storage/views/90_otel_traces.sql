-- Spans under the names of the OpenTelemetry Collector's ClickHouse exporter, so that its users' queries run here.
-- An event is an OTLP message: its time (9 bytes, unless it is 0), then its name behind tag and length.
CREATE VIEW otel_traces AS
WITH
    (m -> CAST(mapApply((k, v) -> (toString(k), otlp_text(v)), m) AS Map(String, String))) AS texts,
    (e -> if(startsWith(e, '\t'), substring(e, 10), e)) AS behind_time,
    (e -> if(startsWith(behind_time(e), '\x12'), substring(behind_time(e), 3, reinterpretAsUInt8(substring(behind_time(e), 2, 1))), '')) AS event_name
SELECT
    s.ts AS Timestamp,
    lower(hex(s.trace_id)) AS TraceId,
    lower(hex(s.span_id)) AS SpanId,
    if(s.parent_span_id = toFixedString('', 8), '', lower(hex(s.parent_span_id))) AS ParentSpanId,
    s.trace_state AS TraceState,
    s.name AS SpanName,
    initcap(toString(s.kind)) AS SpanKind,
    s.service AS ServiceName,
    texts(o.attributes) AS ResourceAttributes,
    o.scope_name AS ScopeName,
    o.scope_version AS ScopeVersion,
    texts(s.attributes) AS SpanAttributes,
    s.duration_ns AS Duration,
    initcap(toString(s.status)) AS StatusCode,
    s.status_message AS StatusMessage,
    arrayMap(e -> fromUnixTimestamp64Nano(if(startsWith(e, '\t'), toInt64(bitAnd(reinterpretAsUInt64(substring(e, 2, 8)),
        0x7FFFFFFFFFFFFFFF)), 0), 'UTC'), s.events) AS `Events.Timestamp`,
    arrayMap(e -> event_name(e), s.events) AS `Events.Name`,
    arrayMap(l -> lower(hex(substring(l, 3, 16))), s.links) AS `Links.TraceId`,
    arrayMap(l -> lower(hex(substring(l, 21, 8))), s.links) AS `Links.SpanId`
FROM spans AS s
LEFT ANY JOIN origins AS o ON o.origin_id = s.origin_id
