-- Evaluators that were seen since a time.
SELECT DISTINCT writer FROM evaluators WHERE at > {since:DateTime64(3, 'UTC')}
