-- Metrics become flat rows of points. A series is what resource, scope, name, unit, type, temporality, monotonic and
-- attributes make it, in whatever order the attributes come. Points without a time that can be believed get that of their
-- arrival: see metric_points.
-- New series of a service that sends too many (series_limits) become one series of each metric, which is of no single
-- origin: its origin_id is 0. Known is what was seen for a day and an hour, as what runs once a day is; of more rows than
-- memory should hold the newest, which are those of series that are sent now.
CREATE MATERIALIZED VIEW metric_decoded_mv TO metric_decoded AS
WITH
    p.time_unix_nano >= 9223372036854775808 OR p.time_unix_nano < received_ns - /*metrics_retention_ns*/
        OR p.time_unix_nano > received_ns + 3600000000000 AS misdated,
    sipHash64(metric_id, arraySort(p.attributes)) AS own_id,
    limited AND own_id NOT IN
    (
        SELECT series_id FROM metric_series
        WHERE month >= toStartOfMonth(now('UTC') - INTERVAL 25 HOUR) AND last_seen > now('UTC') - INTERVAL 25 HOUR
            AND (service, environment) IN (SELECT service, environment FROM series_limits FINAL WHERE series > 0)
        ORDER BY last_seen DESC
        LIMIT 5000000
    ) AS overflows
SELECT
    received_ns, service, environment, metric, unit, description, type, temporality, monotonic,
    if(overflows, 0, origin) AS origin_id,
    if(overflows, sipHash64(service, environment, metric, unit, type, temporality, monotonic), own_id) AS series_id,
    fromUnixTimestamp64Nano(toInt64(if(misdated, received_ns, p.time_unix_nano)), 'UTC') AS ts,
    fromUnixTimestamp64Nano(toInt64(if(p.start_time_unix_nano < 9223372036854775808, p.start_time_unix_nano, 0)), 'UTC') AS start_ts,
    if(misdated, p.time_unix_nano, 0) AS original_ns,
    p
FROM
(
    SELECT
        toUInt64(toUnixTimestamp64Nano(received_at)) AS received_ns,
        origin_id AS origin, service, environment,
        (service, environment) IN (SELECT service, environment FROM series_limits FINAL WHERE series > 0) AS limited,
        toValidUTF8(m.name) AS metric,
        toValidUTF8(m.unit) AS unit,
        toValidUTF8(m.description) AS description,
        multiIf(notEmpty(m.gauge.data_points), 0, notEmpty(m.sum.data_points), 1, notEmpty(m.histogram.data_points), 2,
            notEmpty(m.exponential_histogram.data_points), 3, 4) AS type,
        multiIf(type = 0, m.gauge, type = 1, m.sum, type = 2, m.histogram, type = 3, m.exponential_histogram, m.summary) AS data,
        if(data.aggregation_temporality IN (1, 2), data.aggregation_temporality, 0) AS temporality,
        data.is_monotonic != 0 AS monotonic,
        sipHash64(origin_id, metric, unit, type, temporality, monotonic) AS metric_id,
        arrayJoin(data.data_points) AS p
    FROM (SELECT received_at, origin_id, service, environment, arrayJoin(metrics) AS m FROM scope_metrics)
)
