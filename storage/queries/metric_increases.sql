-- By how much counters rose, one row a point, over (from_ns, at_ns]: part of other queries.
-- Cumulative: a stream is what has one start. Its first point counts from its start if that is in sight, and nothing if
-- it is not known; a fall is a reset to 0. Delta: the value itself; a point that starts before the one before it is late.
-- Points of what overflowed are of many series: each counts, and none is late or a repetition (place, 0 of other points).
SELECT series_id, delta, at_ns, from_ns, increase
FROM
(
    SELECT
        series_id, delta, at_ns, start_ns, value, exact_int, place,
        lagInFrame(toNullable(at_ns)) OVER stream AS at_before,
        lagInFrame(start_ns) OVER stream AS start_before,
        lagInFrame(value) OVER stream AS value_before,
        lagInFrame(exact_int) OVER stream AS exact_before,
        exact_int != 0 AND exact_before != 0 AS exact,
        multiIf(
            delta, if(place = 0 AND isNotNull(at_before) AND start_ns > 0 AND start_ns < start_before, NULL, value),
            isNull(at_before), if(start_ns > 0 AND start_ns >= {start_ns:Int64} - {lookback_ns:Int64}, if(start_ns < at_ns, value, 0), NULL),
            value < value_before OR (exact AND exact_int < exact_before), value,
            exact, toFloat64(exact_int - exact_before),
            value - value_before) AS increase,
        multiIf(
            delta, if(start_ns > 0 AND start_ns < at_ns, start_ns, at_ns),
            isNull(at_before), least(start_ns, at_ns),
            assumeNotNull(at_before)) AS from_ns
    FROM
    (
        SELECT
            series_id, /*delta*/ AS delta, toUnixTimestamp64Nano(ts) AS at_ns, toUnixTimestamp64Nano(start_ts) AS start_ns,
            /*value*/ AS value, /*exact_int*/ AS exact_int,
            if(/*overflows*/, rowNumberInAllBlocks() + 1, 0) AS place
        FROM /*points*/
        WHERE /*which*/
            AND toStartOfHour(ts) >= toStartOfHour(fromUnixTimestamp64Nano({start_ns:Int64} - {lookback_ns:Int64}, 'UTC'))
            AND ts > fromUnixTimestamp64Nano({start_ns:Int64} - {lookback_ns:Int64}, 'UTC')
            AND ts <= fromUnixTimestamp64Nano({end_ns:Int64}, 'UTC')
            AND bitAnd(flags, 1) = 0 AND original_ns = 0 AND isFinite(value)
        ORDER BY series_id, at_ns, value DESC
        LIMIT 1 BY series_id, start_ns, at_ns, place
    )
    WINDOW stream AS (PARTITION BY series_id, if(delta, 0, start_ns) ORDER BY at_ns ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
)
WHERE isNotNull(increase) AND at_ns > {start_ns:Int64}
