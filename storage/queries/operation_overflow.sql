-- Services with more distinct names or routes than the limit since a time: the busiest values of each, the rest overflows.
-- What overflowed already is not counted.
SELECT service, environment, field, groupArray(value) AS kept, max(seen) AS known
FROM
(
    SELECT service, environment, field, value, count() OVER (PARTITION BY service, environment, field) AS seen
    FROM
    (
        SELECT service, environment, field_and_value.1 AS field, field_and_value.2 AS value, sum(requests) AS total
        FROM red_1m
        ARRAY JOIN [('names', toString(name)), ('routes', toString(http_route))] AS field_and_value
        WHERE t >= {since:DateTime('UTC')}
        GROUP BY service, environment, field, value
        HAVING value NOT IN ('', '__other__')
    )
    ORDER BY total DESC
    LIMIT {limit:UInt32} BY service, environment, field
)
GROUP BY service, environment, field
HAVING known > {limit:UInt32}
