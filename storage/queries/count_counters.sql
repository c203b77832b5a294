-- Events that counters count, by SLI, minute and group. A point's increase belongs to the minute that it ends.
-- Cumulative: a stream is what has one start; the first point in an hour counts from its start if that lies in the hour,
-- and nothing else; a fall is a reset to 0. Delta: the value itself; a point that starts before the one before it is late.
-- Only the hour before a point decides, so that a minute counts the same whenever it is counted. Fractions are cut off the
-- running total, not off its increases. More good or bad than all events cannot be: `doubtful` are those beyond.
SELECT
    sli AS series, toDateTime(intDiv(at_ns - 1, 60000000000) * 60, 'UTC') AS minute, labels,
    sumIf(increase, role = 1) AS good_events, sumIf(increase, role = 2) AS bad_events, sumIf(increase, role = 3) AS all_events,
    any(shape) AS parts,
    toUInt64(multiIf(parts = 1, good_events + bad_events, all_events)) AS total,
    toUInt64(multiIf(parts = 1, good_events, parts = 2, least(good_events, all_events),
        all_events - least(bad_events, all_events))) AS good,
    total AS seen,
    toUInt64(multiIf(parts = 1, 0, parts = 2, good_events - least(good_events, all_events),
        bad_events - least(bad_events, all_events))) AS doubtful,
    0. AS bound
FROM
(
    SELECT
        series_id, at_ns,
        multiIf(
            delta, if(place = 0 AND near AND start_ns > 0 AND start_ns < start_before, 0, events),
            NOT near, if(start_ns > 0 AND start_ns >= at_ns - {lookback_ns:Int64} AND start_ns < at_ns, events, 0),
            events < events_before, events,
            events - events_before) AS increase
    FROM
    (
        SELECT
            series_id, delta, at_ns, start_ns, events, place,
            lagInFrame(toNullable(at_ns)) OVER stream AS at_before,
            lagInFrame(start_ns) OVER stream AS start_before,
            lagInFrame(events) OVER stream AS events_before,
            isNotNull(at_before) AND at_ns - assumeNotNull(at_before) <= {lookback_ns:Int64} AS near
        FROM
        (
            SELECT
                series_id,
                series_id IN (SELECT series_id FROM metric_series WHERE /*series_near*/ AND temporality = 'delta') AS delta,
                toUnixTimestamp64Nano(ts) AS at_ns, toUnixTimestamp64Nano(start_ts) AS start_ns,
                greatest(0, if(exact_int != 0, exact_int, toInt64(least(if(delta, round(value), floor(value)), 9e18)))) AS events,
                if(series_id IN (SELECT series_id FROM metric_series WHERE /*series_near*/ AND origin_id = 0),
                    rowNumberInAllBlocks() + 1, 0) AS place
            FROM metric_points
            WHERE metric IN {metrics:Array(String)} AND series_id IN (SELECT series_id FROM metric_series WHERE /*series_near*/)
                AND toStartOfHour(ts) >= toStartOfHour(fromUnixTimestamp64Nano({from_ns:Int64} - {lookback_ns:Int64}, 'UTC'))
                AND ts > fromUnixTimestamp64Nano({from_ns:Int64} - {lookback_ns:Int64}, 'UTC')
                AND toStartOfHour(ts) <= fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC')
                AND ts <= fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC')
                AND bitAnd(flags, 1) = 0 AND original_ns = 0 AND isFinite(value)
            ORDER BY series_id, at_ns, events DESC
            LIMIT 1 BY series_id, start_ns, at_ns, place
        )
        WINDOW stream AS (PARTITION BY series_id, if(delta, 0, start_ns) ORDER BY at_ns ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
    )
    WHERE at_ns > {from_ns:Int64} AND increase > 0
) AS i
INNER JOIN (/*series_selected*/) AS s ON s.series_id = i.series_id
GROUP BY sli, minute, labels
