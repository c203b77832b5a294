-- Every (service, environment) that sent request spans in [since, until).
SELECT service, environment
FROM red_1m
WHERE kind IN ('server', 'consumer') AND t >= {since:DateTime('UTC')} AND t < {until:DateTime('UTC')}
GROUP BY service, environment
ORDER BY service, environment
