-- Gauges under the names of the OpenTelemetry Collector's ClickHouse exporter; exemplars are in the table exemplars.
CREATE VIEW otel_metrics_gauge AS
SELECT
    mapApply((k, v) -> (k, otlp_text(v)), o.attributes) AS ResourceAttributes,
    o.schema_url AS ResourceSchemaUrl,
    o.scope_name AS ScopeName,
    o.scope_version AS ScopeVersion,
    mapApply((k, v) -> (k, otlp_text(v)), o.scope_attributes) AS ScopeAttributes,
    o.scope_dropped_attributes AS ScopeDroppedAttrCount,
    o.scope_schema_url AS ScopeSchemaUrl,
    s.service AS ServiceName,
    p.metric AS MetricName,
    s.description AS MetricDescription,
    s.unit AS MetricUnit,
    mapApply((k, v) -> (k, otlp_text(v)), s.attributes) AS Attributes,
    p.start_ts AS StartTimeUnix,
    p.ts AS TimeUnix,
    p.value AS Value,
    p.flags AS Flags
FROM metric_points AS p
LEFT ANY JOIN metric_series AS s ON s.series_id = p.series_id
LEFT ANY JOIN origins AS o ON o.origin_id = s.origin_id
WHERE s.type = 'gauge'
