-- The door for traces: OTLP requests as they came. A Null table keeps nothing; materialized views read each insert.
-- The last two columns are not in the message: their defaults give every insert its arrival time and the retention.
CREATE TABLE otlp_traces
(
    resource_spans Array(Tuple(
        resource Tuple(attributes Array(Tuple(key String, value Tuple(string_value Nullable(String), bool_value Nullable(Int64), int_value Nullable(Int64), double_value Nullable(Float64), array_value Nullable(String), kvlist_value Nullable(String), bytes_value Nullable(String))))),
        scope_spans Array(Tuple(
            scope Tuple(name String, version String),
            spans Array(Tuple(
                trace_id String,
                span_id String,
                trace_state String,
                parent_span_id String,
                name String,
                kind Int32,
                start_time_unix_nano UInt64,
                end_time_unix_nano UInt64,
                attributes Array(Tuple(key String, value Tuple(string_value Nullable(String), bool_value Nullable(Int64), int_value Nullable(Int64), double_value Nullable(Float64), array_value Nullable(String), kvlist_value Nullable(String), bytes_value Nullable(String)))),
                dropped_attributes_count UInt32,
                events Array(Tuple(time_unix_nano UInt64, name String, attributes Array(String))),
                links Array(Tuple(trace_id String, span_id String, attributes Array(String))),
                status Tuple(message String, code Int32),
                flags UInt32
            ))
        ))
    )),
    received_at DateTime64(9, 'UTC') DEFAULT now64(9, 'UTC'),
    retention_s UInt32 DEFAULT 1209600
)
ENGINE = Null
