-- The evidence of some alerts, without their pages.
SELECT alert_id, argMax(body, at) AS body FROM alert_evidence
WHERE alert_id IN {alert_ids:Array(String)}
GROUP BY alert_id
