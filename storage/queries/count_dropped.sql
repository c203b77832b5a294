-- The newest day that the disk budget dropped, None when it never dropped one.
SELECT maxOrNull(started_at) AS day FROM annotations FINAL WHERE kind = 'retention'
