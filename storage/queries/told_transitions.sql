-- Every transition of some alerts.
SELECT body FROM alert_transitions WHERE has({alert_ids:Array(String)}, alert_id) ORDER BY at, alert_id, sequence
