-- Alerts of which a message reached somebody.
SELECT DISTINCT alert_id FROM deliveries FINAL WHERE status = 'sent' AND at >= {since:DateTime64(3, 'UTC')}
