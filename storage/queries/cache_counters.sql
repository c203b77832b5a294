-- Increase of hit and miss counters in steps of time over [start, end): sums whose name ends in hits or misses, or
-- that carry a result, type or status attribute of hit or miss. Cumulative counters count from 0 after a reset.
WITH
    multiIf(
        match(metric, '[._]hits?(_total)?$'), 'hit',
        match(metric, '[._]miss(es)?(_total)?$'), 'miss',
        attributes['result'] IN ('hit', 'miss'), attributes['result'],
        attributes['type'] IN ('hit', 'miss'), attributes['type'],
        attributes['status'] IN ('hit', 'miss'), attributes['status'],
        '') AS outcome_of,
    toValidUTF8(multiIf(
        attributes['cache.name'] != '', attributes['cache.name'],
        attributes['cache'] != '', attributes['cache'],
        attributes['name'] != '', attributes['name'],
        replaceRegexpOne(metric, '[._](hits?|miss(es)?)(_total)?$', ''))) AS cache_of
SELECT
    service, environment, cache, outcome = 'hit' AS hit,
    toStartOfInterval(ts, toIntervalSecond({step_s:UInt32}), 'UTC') AS at,
    sum(increase) AS total
FROM
(
    SELECT
        s.service AS service, s.environment AS environment, s.cache AS cache, s.outcome AS outcome, p.ts AS ts,
        lagInFrame(toNullable(p.value)) OVER series_order AS previous,
        multiIf(
            s.temporality = 'delta', p.value,
            isNull(previous), if(p.start_ts >= {start:DateTime('UTC')}, p.value, 0),
            p.value >= previous, p.value - assumeNotNull(previous),
            p.value) AS increase
    FROM metric_points AS p
    INNER JOIN
    (
        SELECT series_id, any(service) AS service, any(environment) AS environment, any(temporality) AS temporality,
            any(outcome_of) AS outcome, any(cache_of) AS cache
        FROM metric_series
        WHERE type = 'sum' AND match(metric, '(?i)cache') AND outcome_of != ''
        GROUP BY series_id
    ) AS s ON s.series_id = p.series_id
    WHERE p.ts >= {start:DateTime('UTC')} - 120 AND p.ts < {end:DateTime('UTC')} AND bitAnd(p.flags, 1) = 0
        AND p.metric IN (SELECT metric FROM metric_series WHERE type = 'sum' AND match(metric, '(?i)cache'))
    WINDOW series_order AS (PARTITION BY p.series_id ORDER BY p.ts ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
)
WHERE ts >= {start:DateTime('UTC')}
GROUP BY service, environment, cache, hit, at
ORDER BY service, environment, cache, at
