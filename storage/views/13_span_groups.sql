-- Spans of an insert, counted by everything that a rollup tells apart: the rollups below read this instead of the spans.
-- bucket: OTel exponential histogram bucket of scale 5 (base 2^(1/32)) over nanoseconds.
CREATE TABLE span_groups
(
    t DateTime('UTC'),
    service LowCardinality(String),
    environment LowCardinality(String),
    version LowCardinality(String),
    kind Enum8('unspecified' = 0, 'internal' = 1, 'server' = 2, 'client' = 3, 'producer' = 4, 'consumer' = 5),
    name LowCardinality(String),
    http_route LowCardinality(String),
    http_class UInt8,
    cache_hit Int8,
    cache LowCardinality(String),
    bucket Int16,
    requests UInt64,
    errors UInt64,
    duration_sum_ns UInt64,
    duration_max_ns UInt64
)
ENGINE = Null
