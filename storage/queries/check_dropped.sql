-- Spans whose sender left attributes, events or links out.
SELECT
    service, environment,
    count() AS spans,
    countIf(dropped_attributes + dropped_events + dropped_links > 0) AS cut_spans,
    sum(dropped_attributes) AS attributes_lost,
    sum(dropped_events) AS events_lost,
    sum(dropped_links) AS links_lost,
    arrayMap(x -> lower(hex(x)), groupUniqArrayIf(3)(trace_id, dropped_attributes + dropped_events + dropped_links > 0)) AS examples
FROM spans
WHERE toStartOfFiveMinutes(ts) >= toStartOfFiveMinutes({start:DateTime('UTC')}) AND ts >= {start:DateTime('UTC')}
    AND ({service:String} = '' OR service = {service:String})
GROUP BY service, environment
HAVING cut_spans > 0
ORDER BY service, environment
