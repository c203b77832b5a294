-- Copies spans of one trace between two times to where the retention of raw spans does not reach: all of them, or those
-- whose ids `chosen` holds, 16 hexadecimal digits each.
INSERT INTO pinned_spans
(
    ts, trace_id, ids, trace_state, flags, service, environment, version, name, kind, duration_ns, status,
    status_message, error, weight, quarantined, original_start_ns, original_end_ns, origin_id, attributes,
    dropped_attributes, events, dropped_events, links, dropped_links, trace_spans, pinned_at
)
SELECT
    ts, trace_id, ids, trace_state, flags, service, environment, version, name, kind, duration_ns, status,
    status_message, error, weight, quarantined, original_start_ns, original_end_ns, origin_id, attributes,
    dropped_attributes, events, dropped_events, links, dropped_links, {spans:UInt32}, {now:DateTime('UTC')}
FROM spans
WHERE toStartOfFiveMinutes(ts) >= toStartOfFiveMinutes({start:DateTime64(9, 'UTC')})
    AND toStartOfFiveMinutes(ts) <= toStartOfFiveMinutes({end:DateTime64(9, 'UTC')})
    AND trace_id = unhex({trace_id:String})
    AND ({chosen:String} = '' OR has(splitByString(',', {chosen:String}), lower(hex(span_id))))
