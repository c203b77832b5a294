-- Services with so many metric series that new ones are stored as one, and the metrics that have most.
SELECT
    service, environment,
    sum(own) AS series,
    countIf(overflowed) AS metrics,
    arraySlice(arrayMap(x -> x.2, arrayReverseSort(groupArray((own, name)))), 1, 3) AS examples
FROM
(
    SELECT
        service, environment, toString(metric) AS name,
        uniqExactIf(series_id, origin_id != 0) AS own,
        countIf(origin_id = 0) > 0 AS overflowed
    FROM metric_series
    WHERE month >= toStartOfMonth({start:DateTime('UTC')}) AND last_seen >= {start:DateTime('UTC')}
        AND ({service:String} = '' OR service = {service:String})
    GROUP BY service, environment, name
)
GROUP BY service, environment
HAVING metrics > 0
ORDER BY service, environment
