-- Limited services, and whether anything of them overflowed since a time.
SELECT service, environment, names, routes, l.since AS limited_at,
    (service, environment) IN (
        SELECT service, environment FROM red_1m
        WHERE t >= {since:DateTime('UTC')} AND (name = '__other__' OR http_route = '__other__')
    ) AS overflowing
FROM operation_limits AS l FINAL
WHERE notEmpty(names) OR notEmpty(routes)
ORDER BY service, environment
