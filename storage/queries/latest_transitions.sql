-- The last transition of each (rule, severity): what the state machine goes on from.
SELECT argMax(body, (at, sequence)) AS body FROM alert_transitions GROUP BY rule, severity
