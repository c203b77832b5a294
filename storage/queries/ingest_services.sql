-- What is stored of each service and signal with a time in [start, end).
SELECT service, environment, signal, sum(stored) AS items, max(newest) AS last_at
FROM
(
    SELECT toString(service) AS service, toString(environment) AS environment, 'traces' AS signal,
        sum(requests) AS stored, max(t) AS newest
    FROM red_1m
    WHERE t >= {start:DateTime('UTC')} AND t < {end:DateTime('UTC')}
    GROUP BY service, environment
    UNION ALL
    SELECT toString(s.service) AS service, toString(s.environment) AS environment, 'metrics' AS signal,
        sum(p.points) AS stored, max(p.newest) AS newest
    FROM
    (
        SELECT series_id, count() AS points, toDateTime(max(ts), 'UTC') AS newest
        FROM
        (
            SELECT series_id, ts FROM metric_points WHERE ts >= {start:DateTime('UTC')} AND ts < {end:DateTime('UTC')}
            UNION ALL
            SELECT series_id, ts FROM metric_histograms WHERE ts >= {start:DateTime('UTC')} AND ts < {end:DateTime('UTC')}
            UNION ALL
            SELECT series_id, ts FROM metric_exponential_histograms
            WHERE ts >= {start:DateTime('UTC')} AND ts < {end:DateTime('UTC')}
            UNION ALL
            SELECT series_id, ts FROM metric_summaries WHERE ts >= {start:DateTime('UTC')} AND ts < {end:DateTime('UTC')}
        )
        GROUP BY series_id
    ) AS p
    INNER JOIN
    (
        SELECT DISTINCT series_id, service, environment
        FROM metric_series
        WHERE month >= toStartOfMonth({start:DateTime('UTC')} - INTERVAL 1 DAY)
    ) AS s ON s.series_id = p.series_id
    GROUP BY service, environment
    UNION ALL
    SELECT toString(service) AS service, toString(environment) AS environment, 'logs' AS signal,
        count() AS stored, toDateTime(max(ts), 'UTC') AS newest
    FROM logs
    WHERE ts >= {start:DateTime('UTC')} AND ts < {end:DateTime('UTC')}
    GROUP BY service, environment
)
GROUP BY service, environment, signal
ORDER BY items DESC, service, environment, signal
