-- How the observations of each histogram fall into its buckets.
SELECT
    service, environment, name, metric_unit, bounds,
    sumForEach(counts) AS totals
FROM
(
    SELECT
        s.service AS service, s.environment AS environment, toString(h.metric) AS name, s.unit AS metric_unit,
        h.bounds AS bounds,
        if(s.temporality = 'delta', sumForEach(h.counts), argMax(h.counts, h.ts)) AS counts
    FROM metric_histograms AS h
    INNER JOIN
    (
        SELECT DISTINCT series_id, service, environment, unit, temporality
        FROM metric_series
        WHERE month >= toStartOfMonth({start:DateTime('UTC')} - INTERVAL 1 DAY) AND type = 'histogram'
            AND ({service:String} = '' OR service = {service:String})
        LIMIT {series_limit:UInt32}
    ) AS s ON s.series_id = h.series_id
    WHERE h.ts >= {start:DateTime('UTC')} AND toDate(h.ts) >= toDate({start:DateTime('UTC')}) AND notEmpty(h.counts)
        AND bitAnd(h.flags, 1) = 0
    GROUP BY service, environment, name, metric_unit, bounds, h.series_id, s.temporality
)
GROUP BY service, environment, name, metric_unit, bounds
ORDER BY service, environment, name
