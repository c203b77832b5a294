-- Span names that hold ids: how many, and how few they are without them.
WITH
    '[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|[0-9a-fA-F]*[0-9][0-9a-fA-F]{7,}|[0-9]{2,}' AS id,
    match(name, id) AS has_id
SELECT
    service, environment,
    uniqExact(name) AS names,
    uniqExactIf(name, has_id) AS with_ids,
    uniqExactIf(replaceRegexpAll(name, id, '{id}'), has_id) AS templates,
    arraySlice(arraySort(groupUniqArrayIf(50)(name, has_id)), 1, 3) AS examples
FROM
(
    SELECT service, environment, toString(name) AS name
    FROM red_1m
    WHERE t >= {start:DateTime('UTC')} AND t < {end:DateTime('UTC')} AND ({service:String} = '' OR service = {service:String})
    GROUP BY service, environment, name
    LIMIT {names_limit:UInt32} BY service, environment
)
GROUP BY service, environment
HAVING with_ids > 0
ORDER BY service, environment
