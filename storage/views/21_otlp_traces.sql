-- The door for traces: its columns mirror ExportTraceServiceRequest, it keeps nothing, its views do the rest.
-- It refuses every insert until all views are there, so that none can pass through half of them.
CREATE TABLE otlp_traces
(
    resource_spans Array(Tuple(
        resource Tuple(attributes Array(Tuple(key String, value String)), dropped_attributes_count UInt32),
        scope_spans Array(Tuple(
            scope Tuple(name String, version String, attributes Array(Tuple(key String, value String)), dropped_attributes_count UInt32),
            spans Array(Tuple(
                trace_id String,
                span_id String,
                trace_state String,
                parent_span_id String,
                flags UInt32,
                name String,
                kind Int32,
                start_time_unix_nano UInt64,
                end_time_unix_nano UInt64,
                attributes Array(Tuple(key String, value String)),
                dropped_attributes_count UInt32,
                events Array(String),
                dropped_events_count UInt32,
                links Array(String),
                dropped_links_count UInt32,
                status Tuple(message String, code Int32)
            )),
            schema_url String
        )),
        schema_url String
    )),
    received_at DateTime64(9, 'UTC') DEFAULT now64(9, 'UTC'),
    closed UInt8 DEFAULT throwIf(rowNumberInBlock() >= 0, 'the views of otlp_traces are being created')
)
ENGINE = Null
