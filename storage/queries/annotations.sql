-- Annotations that touch [start, end).
SELECT id, kind, title, started_at, ended_at, services, url FROM annotations FINAL
WHERE started_at < {end:DateTime64(3, 'UTC')} AND ifNull(ended_at, now64(3, 'UTC')) >= {start:DateTime64(3, 'UTC')}
ORDER BY started_at
