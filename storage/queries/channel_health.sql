-- When a message last reached each channel, when one last failed, and why.
SELECT
    channel,
    maxIfOrNull(at, status = 'sent') AS last_success_at,
    maxIfOrNull(at, status != 'sent') AS last_failure_at,
    argMaxIf(error, (at, attempt), status != 'sent') AS last_error
FROM delivery_attempts
GROUP BY channel
ORDER BY channel
