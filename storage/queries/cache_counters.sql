-- Increase of hit and miss counters in steps of time over [start, end), by the rules that tell hits from misses: a rule
-- names a metric, and either what it counts or the attribute that says so.
SELECT
    service, environment, cache, outcome = 'hit' AS hit,
    toStartOfInterval(fromUnixTimestamp64Nano(at_ns - 1, 'UTC'), toIntervalSecond({step_s:UInt32}), 'UTC') AS at,
    sum(increase) AS total
FROM (/*increases*/) AS i
INNER JOIN
(
    SELECT
        series_id, toString(service) AS service, toString(environment) AS environment,
        multiIf(
            rule_outcome != '', rule_outcome,
            has(rule_hits, otlp_text(attributes[rule_attribute])), 'hit',
            has(rule_misses, otlp_text(attributes[rule_attribute])), 'miss',
            '') AS outcome,
        toValidUTF8(otlp_text(multiIf(
            mapContains(attributes, 'cache.name'), attributes['cache.name'],
            mapContains(attributes, 'cache'), attributes['cache'],
            attributes['name']))) AS named,
        if(named = '', rule_cache, named) AS cache
    FROM metric_series
    ARRAY JOIN
        {metrics:Array(String)} AS rule_metric, {caches:Array(String)} AS rule_cache, {outcomes:Array(String)} AS rule_outcome,
        {attributes:Array(String)} AS rule_attribute, {hits:Array(Array(String))} AS rule_hits,
        {misses:Array(Array(String))} AS rule_misses, {where_keys:Array(String)} AS where_key,
        {where_values:Array(String)} AS where_value
    WHERE metric IN {metrics:Array(String)} AND metric = rule_metric AND type = 'sum' AND outcome != ''
        AND (origin_id != 0 OR temporality = 'delta')
        AND month >= toStartOfMonth(fromUnixTimestamp64Nano({start_ns:Int64}, 'UTC'))
        AND (where_key = '' OR otlp_text(attributes[where_key]) = where_value)
    LIMIT 1 BY series_id
) AS s ON s.series_id = i.series_id
GROUP BY service, environment, cache, hit, at
ORDER BY service, environment, cache, at
