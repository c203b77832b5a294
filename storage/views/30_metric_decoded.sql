-- Points of an insert, one row each, with what their metric and resource say of them: a Null table between two views.
CREATE TABLE metric_decoded
(
    received_ns UInt64,
    origin_id UInt64,
    service String,
    environment String,
    metric String,
    unit String,
    description String,
    type Enum8('gauge' = 0, 'sum' = 1, 'histogram' = 2, 'exponential_histogram' = 3, 'summary' = 4),
    temporality Enum8('unspecified' = 0, 'delta' = 1, 'cumulative' = 2),
    monotonic Bool,
    series_id UInt64,
    ts DateTime64(9, 'UTC'),
    start_ts DateTime64(9, 'UTC'),
    original_ns UInt64,
    p Tuple(
        start_time_unix_nano UInt64,
        time_unix_nano UInt64,
        flags UInt32,
        attributes Array(Tuple(key String, value String)),
        exemplars Array(Tuple(time_unix_nano UInt64, as_double Nullable(Float64), as_int Int64, span_id String, trace_id String, filtered_attributes Array(Tuple(key String, value String)))),
        as_double Nullable(Float64),
        as_int Int64,
        count UInt64,
        sum Nullable(Float64),
        min Nullable(Float64),
        max Nullable(Float64),
        explicit_bounds Array(Float64),
        bucket_counts Array(UInt64),
        scale Int32,
        zero_count UInt64,
        zero_threshold Float64,
        positive Tuple(offset Int32, bucket_counts Array(UInt64)),
        negative Tuple(offset Int32, bucket_counts Array(UInt64)),
        quantile_values Array(Tuple(quantile Float64, value Float64))
    )
)
ENGINE = Null
