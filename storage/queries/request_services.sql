-- Every (service, environment) that sent request spans since a time.
SELECT service, environment
FROM red_1m
WHERE kind IN ('server', 'consumer') AND t >= {since:DateTime('UTC')}
GROUP BY service, environment
ORDER BY service, environment
