-- Alerts of which a message reached somebody since a time.
SELECT DISTINCT arrayJoin(arrayConcat(firing, resolved)) AS alert_id FROM notifications
WHERE id IN (
    SELECT notification_id FROM delivery_attempts
    WHERE status = 'sent' AND at >= {since:DateTime64(3, 'UTC')}
)
