-- Hits and misses of each minute and cache of an insert, from spans that carry cache.hit.
CREATE MATERIALIZED VIEW cache_1m_mv TO cache_1m AS
SELECT
    toStartOfMinute(ts) AS t,
    service, environment, cache_name AS cache,
    cache_hit = 1 AS hit,
    count() AS lookups,
    sumMap(map(toInt16(floor(log2(greatest(duration_ns, 1)) * 32)), toUInt64(1))) AS hist
FROM spans
WHERE cache_hit >= 0 AND NOT quarantined
GROUP BY t, service, environment, cache, hit
