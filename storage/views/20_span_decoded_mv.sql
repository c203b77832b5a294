-- OTLP requests become flat rows; names that others group and search by are made valid UTF-8, attributes keep their bytes.
CREATE MATERIALIZED VIEW span_decoded_mv TO span_decoded AS
SELECT
    received_at, origin_id, service, environment, version, sampled_one_in,
    s.trace_id AS trace_bytes,
    s.span_id AS span_bytes,
    s.trace_state AS trace_state,
    s.parent_span_id AS parent_bytes,
    s.flags AS flags,
    toValidUTF8(s.name) AS name,
    if(s.kind BETWEEN 0 AND 5, s.kind, 0) AS kind,
    s.start_time_unix_nano AS start_ns,
    s.end_time_unix_nano AS end_ns,
    mapFromArrays(s.attributes.key, s.attributes.value) AS attributes,
    s.dropped_attributes_count AS dropped_attributes,
    s.events AS events,
    s.dropped_events_count AS dropped_events,
    s.links AS links,
    s.dropped_links_count AS dropped_links,
    if(s.status.code BETWEEN 0 AND 2, s.status.code, 0) AS status,
    s.status.message AS status_message
FROM
(
    SELECT received_at, origin_id, service, environment, version, sampled_one_in, arrayJoin(spans) AS s FROM scope_spans
)
