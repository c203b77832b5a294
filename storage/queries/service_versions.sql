-- Versions of one service with at least `enough` requests since `start`, the newest first: the one that came last.
SELECT toString(version) AS version, min(t) AS first_minute, max(t) AS last_minute, sum(requests) AS total
FROM red_1m
WHERE service = {service:String} AND environment = {environment:String} AND version != ''
    AND kind IN ('server', 'consumer') AND t >= {start:DateTime('UTC')} AND t < {end:DateTime('UTC')}
GROUP BY version
HAVING total >= {enough:UInt64}
ORDER BY first_minute DESC, version DESC
