-- Who was heard of in what arrived since a moment: first, last, and in which minutes of each hour (bit 0: minute 0), by the
-- times of spans and points.
SELECT
    service, environment, max(hour_arrived) AS arrived, min(hour_first) AS first, max(hour_last) AS last,
    groupArray((hour, minutes)) AS hours
FROM
(
    SELECT
        toString(service) AS service, toString(environment) AS environment,
        intDiv(toUnixTimestamp(at), 3600) AS hour,
        max(arrived) AS hour_arrived, groupBitOr(bitShiftLeft(toUInt64(1), toMinute(at))) AS minutes, min(at) AS hour_first, max(at) AS hour_last
    FROM
    (
        SELECT service, environment, least(minute, arrived) AS at, arrived
        FROM arrivals
        WHERE arrived >= {since:DateTime('UTC')}
    )
    WHERE service != ''
    GROUP BY service, environment, hour
)
GROUP BY service, environment
ORDER BY service, environment
