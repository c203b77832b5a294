-- Hits and misses of each minute and cache of an insert, from spans that say which it was.
CREATE MATERIALIZED VIEW cache_1m_mv TO cache_1m AS
SELECT
    t, service, environment, cache,
    cache_hit = 1 AS hit,
    sum(requests) AS lookups,
    sumMap(map(bucket, requests)) AS hist
FROM span_groups
WHERE cache_hit >= 0
GROUP BY t, service, environment, cache, hit
