-- One row for each scope of a request, with what is known of its origin: a Null table between two views.
CREATE TABLE scope_logs
(
    received_ns UInt64,
    origin_id UInt64,
    service String,
    environment String,
    version String,
    attributes Map(String, String),
    dropped_attributes UInt32,
    schema_url String,
    scope Tuple(name String, version String, attributes Array(Tuple(key String, value String)), dropped_attributes_count UInt32),
    scope_schema_url String,
    log_records Array(Tuple(
        time_unix_nano UInt64,
        observed_time_unix_nano UInt64,
        trace_id String,
        span_id String,
        flags UInt32,
        severity_number Int32,
        severity_text String,
        event_name String,
        body String,
        attributes Array(Tuple(key String, value String)),
        dropped_attributes_count UInt32
    ))
)
ENGINE = Null
