-- Metrics of an insert, flattened to one row a point: a Null table that the three views below read.
CREATE TABLE metric_decoded
(
    metric String,
    description String,
    unit String,
    type Enum8('gauge' = 0, 'sum' = 1, 'histogram' = 2),
    temporality Int32,
    monotonic Bool,
    service String,
    environment String,
    resource_id UInt64,
    scope_name String,
    attributes Map(String, String),
    series_id UInt64,
    ts DateTime64(3, 'UTC'),
    start_ts DateTime64(3, 'UTC'),
    value Float64,
    count UInt64,
    sum Nullable(Float64),
    min Nullable(Float64),
    max Nullable(Float64),
    bounds Array(Float64),
    counts Array(UInt64),
    flags UInt32
)
ENGINE = Null
