-- The door for logs, like otlp_traces for traces.
CREATE TABLE otlp_logs
(
    resource_logs Array(Tuple(
        resource Tuple(attributes Array(Tuple(key String, value String)), dropped_attributes_count UInt32),
        scope_logs Array(Tuple(
            scope Tuple(name String, version String, attributes Array(Tuple(key String, value String)), dropped_attributes_count UInt32),
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
            )),
            schema_url String
        )),
        schema_url String
    )),
    received_at DateTime64(9, 'UTC') DEFAULT now64(9, 'UTC'),
    closed UInt8 DEFAULT throwIf(rowNumberInBlock() >= 0, 'the views of otlp_logs are being created')
)
ENGINE = Null
