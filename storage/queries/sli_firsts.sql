-- The first minute of each SLI that holds events; a projection answers.
SELECT series, min(first) AS first
FROM sli_hours
WHERE series IN {series:Array(UInt64)}
GROUP BY series
HAVING first IS NOT NULL
