-- Other episodes of one rule that fired since a time, newest first: the last transition of each, and the last note on it.
SELECT e.body AS body, n.note AS note
FROM
(
    SELECT alert_id, argMax(body, sequence) AS body, minIf(at, state = 'firing') AS fired_at
    FROM alert_transitions
    WHERE rule = {rule:String} AND at >= {since:DateTime64(3, 'UTC')} AND alert_id != {alert_id:String}
    GROUP BY alert_id
    HAVING countIf(state = 'firing') > 0
    ORDER BY fired_at DESC, alert_id
    LIMIT {limit:UInt32}
) AS e
LEFT JOIN (SELECT incident_id, argMax(text, at) AS note FROM incident_notes GROUP BY incident_id) AS n
    ON n.incident_id = e.alert_id
ORDER BY e.fired_at DESC, e.alert_id
