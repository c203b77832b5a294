-- Notifications that were neither delivered nor given up, with who is to deliver them and how often that was tried.
SELECT n.id AS id, channel, group_key, number, n.at AS at, firing, resolved, body, writer, attempts
FROM (
    SELECT * FROM notifications WHERE at >= {since:DateTime64(3, 'UTC')} ORDER BY batch DESC LIMIT 1 BY id
) AS n
LEFT JOIN (
    SELECT notification_id, max(attempt) AS attempts, max(status IN ('sent', 'dead')) AS settled
    FROM delivery_attempts WHERE at >= {since:DateTime64(3, 'UTC')} GROUP BY notification_id
) AS a ON n.id = a.notification_id
WHERE NOT settled
ORDER BY channel, group_key, number
