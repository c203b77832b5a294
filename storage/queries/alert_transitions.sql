-- Transitions since a time, oldest first; the first writer of a sequence number owns it.
SELECT body, writer FROM alert_transitions
WHERE at >= {since:DateTime64(3, 'UTC')} AND ({alert_id:String} = '' OR alert_id = {alert_id:String})
ORDER BY at, alert_id, sequence
