-- Attempts to deliver notifications, newest first, of one alert, one channel or one outcome where it is named.
SELECT DISTINCT
    a.notification_id AS notification_id, a.channel AS channel, group_key, number, firing, resolved,
    attempt, status, error, a.at AS at, took_ms
FROM delivery_attempts AS a
INNER JOIN (
    SELECT id, group_key, number, firing, resolved FROM notifications
    WHERE {alert_id:String} = '' OR has(firing, {alert_id:String}) OR has(resolved, {alert_id:String})
    LIMIT 1 BY id
) AS n ON n.id = a.notification_id
WHERE a.at >= {since:DateTime64(3, 'UTC')} AND ({channel:String} = '' OR a.channel = {channel:String})
    AND ({status:String} = '' OR a.status = {status:String})
ORDER BY at DESC, number DESC, attempt DESC
LIMIT {limit:UInt32}
