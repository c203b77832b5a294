-- The evidence of one alert, as it was gathered last.
SELECT body, page FROM alert_evidence
WHERE alert_id = {alert_id:String}
ORDER BY at DESC
LIMIT 1
