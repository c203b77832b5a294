-- Cache lookups on two sides of a comparison, from spans that say whether they hit; caches as the rollup names them.
SELECT service, cache, side, countIf(cache_hit = 1) AS hits, count() AS lookups
FROM
(
    SELECT toString(service) AS service, toString(if(cache_name != '', cache_name, name)) AS cache, cache_hit, /*side*/ AS side
    FROM spans
    WHERE /*times*/ AND cache_hit >= 0 AND NOT quarantined
        AND ({any_environment:Bool} OR environment = {environment:String})
)
WHERE side != ''
GROUP BY service, cache, side
ORDER BY service, cache, side
LIMIT {limit:UInt32}
SETTINGS max_execution_time = 20
