-- Exponential histograms under the names of the OpenTelemetry Collector's ClickHouse exporter; exemplars are in the table exemplars.
CREATE VIEW otel_metrics_exponential_histogram AS
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
    p.count AS Count,
    ifNull(p.sum, 0) AS Sum,
    p.scale AS Scale,
    p.zero_count AS ZeroCount,
    p.positive_offset AS PositiveOffset,
    p.positive_counts AS PositiveBucketCounts,
    p.negative_offset AS NegativeOffset,
    p.negative_counts AS NegativeBucketCounts,
    p.flags AS Flags,
    ifNull(p.min, 0) AS Min,
    ifNull(p.max, 0) AS Max,
    CAST(s.temporality AS Int32) AS AggregationTemporality
FROM metric_exponential_histograms AS p
LEFT ANY JOIN metric_series AS s ON s.series_id = p.series_id
LEFT ANY JOIN origins AS o ON o.origin_id = s.origin_id
