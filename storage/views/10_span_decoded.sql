-- Spans of an insert, flattened to one row each, with what the resource says of them: a Null table between two views.
CREATE TABLE span_decoded
(
    received_at DateTime64(9, 'UTC'),
    origin_id UInt64,
    service String,
    environment String,
    version String,
    sampled_one_in UInt32,
    trace_bytes String,
    span_bytes String,
    trace_state String,
    parent_bytes String,
    flags UInt32,
    name String,
    kind Enum8('unspecified' = 0, 'internal' = 1, 'server' = 2, 'client' = 3, 'producer' = 4, 'consumer' = 5),
    start_ns UInt64,
    end_ns UInt64,
    attributes Map(String, String),
    dropped_attributes UInt32,
    events Array(String),
    dropped_events UInt32,
    links Array(String),
    dropped_links UInt32,
    status Enum8('unset' = 0, 'ok' = 1, 'error' = 2),
    status_message String
)
ENGINE = Null
