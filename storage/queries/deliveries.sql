-- What became of transitions on a channel since a time.
SELECT alert_id, sequence, status, attempt, at FROM deliveries FINAL
WHERE channel = {channel:String} AND at >= {since:DateTime64(3, 'UTC')}
