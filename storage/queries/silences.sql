-- Silences that end after a time, also those that were ended by hand since.
SELECT id, matchers, starts_at, ends_at, author, comment, until_resolved, created_at, expired_at FROM silences FINAL
WHERE least(ends_at, ifNull(expired_at, ends_at)) > {since:DateTime64(3, 'UTC')}
ORDER BY starts_at, id
