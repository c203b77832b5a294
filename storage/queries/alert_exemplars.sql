-- The traces that the evidence of some alerts names, the most telling first.
SELECT
    alert_id,
    arrayMap(trace -> JSONExtractString(trace, 'trace_id'), JSONExtractArrayRaw(argMax(body, at), 'traces')) AS traces
FROM alert_evidence
WHERE alert_id IN {alert_ids:Array(String)}
GROUP BY alert_id
