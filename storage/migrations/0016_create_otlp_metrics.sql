-- The door for metrics, like otlp_traces for traces.
CREATE TABLE otlp_metrics
(
    resource_metrics Array(Tuple(
        resource Tuple(attributes Array(Tuple(key String, value Tuple(string_value Nullable(String), bool_value Nullable(Int64), int_value Nullable(Int64), double_value Nullable(Float64), array_value Nullable(String), kvlist_value Nullable(String), bytes_value Nullable(String))))),
        scope_metrics Array(Tuple(
            scope Tuple(name String, version String),
            metrics Array(Tuple(
                name String,
                description String,
                unit String,
                gauge Tuple(data_points Array(Tuple(start_time_unix_nano UInt64, time_unix_nano UInt64, as_double Nullable(Float64), as_int Nullable(Int64), attributes Array(Tuple(key String, value Tuple(string_value Nullable(String), bool_value Nullable(Int64), int_value Nullable(Int64), double_value Nullable(Float64), array_value Nullable(String), kvlist_value Nullable(String), bytes_value Nullable(String)))), flags UInt32))),
                sum Tuple(data_points Array(Tuple(start_time_unix_nano UInt64, time_unix_nano UInt64, as_double Nullable(Float64), as_int Nullable(Int64), attributes Array(Tuple(key String, value Tuple(string_value Nullable(String), bool_value Nullable(Int64), int_value Nullable(Int64), double_value Nullable(Float64), array_value Nullable(String), kvlist_value Nullable(String), bytes_value Nullable(String)))), flags UInt32)), aggregation_temporality Int32, is_monotonic Int64),
                histogram Tuple(data_points Array(Tuple(start_time_unix_nano UInt64, time_unix_nano UInt64, count UInt64, sum Nullable(Float64), bucket_counts Array(UInt64), explicit_bounds Array(Float64), attributes Array(Tuple(key String, value Tuple(string_value Nullable(String), bool_value Nullable(Int64), int_value Nullable(Int64), double_value Nullable(Float64), array_value Nullable(String), kvlist_value Nullable(String), bytes_value Nullable(String)))), flags UInt32, min Nullable(Float64), max Nullable(Float64))), aggregation_temporality Int32)
            ))
        ))
    )),
    received_at DateTime64(9, 'UTC') DEFAULT now64(9, 'UTC'),
    retention_s UInt32 DEFAULT 2678400
)
ENGINE = Null
