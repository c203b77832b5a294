-- One row for each scope of a request, with what is known of its origin: a Null table between two views.
CREATE TABLE scope_spans
(
    received_at DateTime64(9, 'UTC'),
    origin_id UInt64,
    service String,
    environment String,
    version String,
    sampled_one_in UInt32,
    attributes Map(String, String),
    dropped_attributes UInt32,
    schema_url String,
    scope Tuple(name String, version String, attributes Array(Tuple(key String, value String)), dropped_attributes_count UInt32),
    scope_schema_url String,
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
    ))
)
ENGINE = Null
