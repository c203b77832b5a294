-- Runs of experiments that began in [start, end), newest first.
SELECT body FROM runs FINAL
WHERE started_at >= {start:DateTime64(3, 'UTC')} AND started_at < {end:DateTime64(3, 'UTC')}
ORDER BY started_at DESC, id
LIMIT {limit:UInt32}
