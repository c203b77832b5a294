-- Notifications since a time, and the last one of each group on each channel whatever its age; a notification that went
-- over to another writer has a row of each.
SELECT body FROM notifications
WHERE batch > {after:UInt64} AND (
    at >= {since:DateTime64(3, 'UTC')}
    OR (channel, group_key, number) IN (
        SELECT channel, group_key, max(number) FROM notifications GROUP BY channel, group_key
    )
)
ORDER BY at, channel, group_key, number
LIMIT 1 BY id
