-- Services whose metric series are limited, and whether anything of them overflowed since a time. When a series was last
-- seen is known to ten minutes.
SELECT service, environment, series, l.since AS limited_at,
    (service, environment) IN (
        SELECT service, environment FROM metric_series
        WHERE month >= toStartOfMonth({since:DateTime('UTC')} - INTERVAL 10 MINUTE)
            AND last_seen >= {since:DateTime('UTC')} - INTERVAL 10 MINUTE AND origin_id = 0
    ) AS overflowing
FROM series_limits AS l FINAL
WHERE series > 0
ORDER BY service, environment
