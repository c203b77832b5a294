-- What explicit histograms counted in steps of [start, end), by group and bounds. A point's counts belong to the step that
-- it ends; starts, resets and what overflowed as in metric_increases.
SELECT labels, step, bounds, sumForEach(increases) AS counts
FROM
(
    SELECT
        s.labels AS labels,
        toUInt64(intDiv(at_ns - 1 - {start_ns:Int64}, {step_ns:Int64})) AS step,
        bounds,
        multiIf(
            {delta:Bool}, if(place = 0 AND isNotNull(at_before) AND start_ns > 0 AND start_ns < start_before, emptyArrayInt64(), counts),
            isNull(at_before), if(start_ns > 0 AND start_ns >= {start_ns:Int64} - {lookback_ns:Int64} AND start_ns < at_ns, counts, emptyArrayInt64()),
            bounds != bounds_before, emptyArrayInt64(),
            arrayExists((now, before) -> now < before, counts, counts_before), counts,
            arrayMap((now, before) -> now - before, counts, counts_before)) AS increases
    FROM
    (
        SELECT
            series_id, at_ns, start_ns, bounds, counts, place,
            lagInFrame(toNullable(at_ns)) OVER stream AS at_before,
            lagInFrame(start_ns) OVER stream AS start_before,
            lagInFrame(bounds) OVER stream AS bounds_before,
            arrayResize(lagInFrame(counts) OVER stream, length(counts)) AS counts_before
        FROM
        (
            SELECT
                series_id, toUnixTimestamp64Nano(ts) AS at_ns, toUnixTimestamp64Nano(start_ts) AS start_ns, bounds,
                arrayMap(x -> toInt64(x), metric_histograms.counts) AS counts,
                if(/*overflows*/, rowNumberInAllBlocks() + 1, 0) AS place
            FROM metric_histograms
            WHERE metric = {metric:String} AND series_id IN (SELECT series_id FROM (/*selected*/))
                AND toStartOfHour(ts) >= toStartOfHour(fromUnixTimestamp64Nano({start_ns:Int64} - {lookback_ns:Int64}, 'UTC'))
                AND ts > fromUnixTimestamp64Nano({start_ns:Int64} - {lookback_ns:Int64}, 'UTC')
                AND ts <= fromUnixTimestamp64Nano({end_ns:Int64}, 'UTC')
                AND bitAnd(flags, 1) = 0 AND original_ns = 0 AND length(counts) = length(bounds) + 1
            ORDER BY series_id, at_ns, count DESC
            LIMIT 1 BY series_id, start_ns, at_ns, place
        )
        WINDOW stream AS (PARTITION BY series_id, if({delta:Bool}, 0, start_ns) ORDER BY at_ns ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
    ) AS p
    INNER JOIN (/*selected*/) AS s ON s.series_id = p.series_id
    WHERE at_ns > {start_ns:Int64} AND notEmpty(increases) AND has({shown:Array(Array(String))}, labels)
)
GROUP BY labels, step, bounds
ORDER BY labels, step
