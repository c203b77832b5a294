-- Metrics with very many series, and those of which an SDK dropped attributes because there were too many.
SELECT
    service, environment, toString(metric) AS name,
    uniqExact(series_id) AS series,
    countIf(otlp_bool(attributes['otel.metric.overflow'])) AS overflows,
    arraySlice(arraySort(groupUniqArrayArray(arrayMap(x -> toString(x), mapKeys(attributes)))), 1, 8) AS examples
FROM metric_series
WHERE month >= toStartOfMonth({start:DateTime('UTC')}) AND last_seen >= {start:DateTime('UTC')} AND origin_id != 0
    AND ({service:String} = '' OR service = {service:String})
GROUP BY service, environment, name
HAVING overflows > 0 OR series > {series_limit:UInt32}
ORDER BY service, environment, name
