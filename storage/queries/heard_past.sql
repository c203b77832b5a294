-- When each service was first and last heard of since a while, and in which minutes of each hour lately (bit 0: minute 0).
-- Goes by the times of spans and points; one ahead of its arrival, or of now, is of a clock that is wrong. Of metrics only
-- the arrivals of some days are kept; before that it is known when a series was last seen.
SELECT
    service, environment, max(hour_last) AS arrived, min(hour_first) AS first, max(hour_last) AS last,
    groupArrayIf((hour, minutes), minutes != 0 AND hour >= intDiv(toUnixTimestamp({hours_since:DateTime('UTC')}), 3600)) AS hours
FROM
(
    SELECT service, environment, hour, groupBitOr(heard_minutes) AS minutes, min(first_at) AS hour_first, max(last_at) AS hour_last
    FROM
    (
        SELECT toString(service) AS service, toString(environment) AS environment,
            intDiv(toUnixTimestamp(t), 3600) AS hour,
            groupBitOr(bitShiftLeft(toUInt64(1), toMinute(t))) AS heard_minutes, min(t) AS first_at, max(t) AS last_at
        FROM red_1m
        WHERE t >= {since:DateTime('UTC')} AND t <= {now:DateTime('UTC')}
        GROUP BY service, environment, hour
        UNION ALL
        SELECT toString(service) AS service, toString(environment) AS environment,
            intDiv(toUnixTimestamp(at), 3600) AS hour,
            groupBitOr(bitShiftLeft(toUInt64(1), toMinute(at))) AS heard_minutes, min(at) AS first_at, max(at) AS last_at
        FROM (SELECT service, environment, least(minute, arrived) AS at FROM arrivals)
        WHERE at >= {since:DateTime('UTC')} AND at <= {now:DateTime('UTC')}
        GROUP BY service, environment, hour
        UNION ALL
        SELECT toString(service) AS service, toString(environment) AS environment,
            intDiv(toUnixTimestamp(last_at), 3600) AS hour, toUInt64(0) AS heard_minutes, last_at AS first_at,
            max(last_seen) AS last_at
        FROM metric_series
        WHERE month >= toStartOfMonth({since:DateTime('UTC')}) AND last_seen >= {since:DateTime('UTC')}
            AND last_seen <= {now:DateTime('UTC')}
        GROUP BY service, environment
    )
    GROUP BY service, environment, hour
)
WHERE service != ''
GROUP BY service, environment
ORDER BY service, environment
