-- Log records become rows. Nothing here may raise: whatever the bytes say, the insert must succeed.
-- A record without a time has that of its observation, and without that, or where it cannot be believed, of its arrival.
CREATE MATERIALIZED VIEW logs_mv TO logs AS
WITH
    if(l.time_unix_nano = 0, l.observed_time_unix_nano, l.time_unix_nano) AS sent_ns,
    sent_ns > 0 AND NOT sent_ns BETWEEN received_ns - /*logs_retention_ns*/ AND received_ns + 3600000000000 AS misdated,
    startsWith(l.body, '\n') AS is_text
SELECT
    fromUnixTimestamp64Nano(toInt64(if(misdated OR sent_ns = 0, received_ns, sent_ns)), 'UTC') AS ts,
    fromUnixTimestamp64Nano(toInt64(if(l.observed_time_unix_nano < 9223372036854775808, l.observed_time_unix_nano, 0)), 'UTC') AS observed_ts,
    toFixedString(if(length(l.trace_id) = 16, l.trace_id, ''), 16) AS trace_id,
    toFixedString(if(length(l.span_id) = 8, l.span_id, ''), 8) AS span_id,
    l.flags AS flags,
    if(l.severity_number BETWEEN 0 AND 24, l.severity_number, 0) AS severity_number,
    toValidUTF8(l.severity_text) AS severity_text,
    service,
    environment,
    origin_id,
    if(is_text AND length(l.body) > 2, '', l.body) AS body,
    if(is_text, otlp_string(l.body), l.body) AS body_text,
    toValidUTF8(l.event_name) AS event_name,
    mapFromArrays(l.attributes.key, l.attributes.value) AS attributes,
    l.dropped_attributes_count AS dropped_attributes,
    if(misdated, sent_ns, 0) AS original_ns
FROM (SELECT received_ns, origin_id, service, environment, arrayJoin(log_records) AS l FROM scope_logs)
