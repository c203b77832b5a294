-- The last transition of each episode that changed since a time, or that has not ended.
SELECT body FROM alert_transitions
WHERE (alert_id, sequence) IN (
    SELECT alert_id, max(sequence) FROM alert_transitions
    GROUP BY alert_id
    HAVING max(at) >= {since:DateTime64(3, 'UTC')} OR argMax(state, sequence) != 'resolved'
)
ORDER BY at, alert_id
LIMIT 1 BY alert_id
