-- The last transition of every alert that fires, or that changed since a time.
SELECT body FROM alert_transitions
WHERE (alert_id, sequence) IN (
    SELECT alert_id, max(sequence) FROM alert_transitions
    GROUP BY alert_id
    HAVING argMax(state, sequence) = 'firing' OR argMax(at, sequence) >= {since:DateTime64(3, 'UTC')}
)
ORDER BY alert_id
