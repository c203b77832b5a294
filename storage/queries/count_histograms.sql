-- Values that explicit histograms counted, by SLI, minute and group; good are those up to the threshold. Streams, resets
-- and what belongs to which minute as in count_counters. A threshold that is no bound is read as the nearest bound below,
-- so that every value called good is good; below all bounds it is read as the lowest. `doubtful` are values counted so,
-- `bound` is the bound. Without bounds nothing is counted, and `bound` is -inf.
SELECT
    sli AS series, toDateTime(intDiv(at_ns - 1, 60000000000) * 60, 'UTC') AS minute, labels,
    sum(if(empty(bounds), 0, toUInt64(arraySum(arraySlice(increases, 1, greatest(below, 1)))))) AS good,
    sum(if(empty(bounds), 0, toUInt64(arraySum(increases)))) AS total,
    total AS seen,
    sum(if(below > 0 AND bounds[below] = threshold, 0, toUInt64(arraySum(increases)))) AS doubtful,
    min(if(empty(bounds), -inf, bounds[greatest(below, 1)])) AS bound
FROM
(
    SELECT *, arrayCount(b -> b <= threshold, bounds) AS below
    FROM
    (
        SELECT
            series_id, at_ns, bounds,
            multiIf(
                delta, if(place = 0 AND near AND start_ns > 0 AND start_ns < start_before, emptyArrayInt64(), counts),
                NOT near, if(start_ns > 0 AND start_ns >= at_ns - {lookback_ns:Int64} AND start_ns < at_ns, counts, emptyArrayInt64()),
                bounds != bounds_before, emptyArrayInt64(),
                arrayExists((now, before) -> now < before, counts, counts_before), counts,
                arrayMap((now, before) -> now - before, counts, counts_before)) AS increases
        FROM
        (
            SELECT
                series_id, delta, at_ns, start_ns, bounds, counts, place,
                lagInFrame(toNullable(at_ns)) OVER stream AS at_before,
                lagInFrame(start_ns) OVER stream AS start_before,
                lagInFrame(bounds) OVER stream AS bounds_before,
                arrayResize(lagInFrame(counts) OVER stream, length(counts)) AS counts_before,
                isNotNull(at_before) AND at_ns - assumeNotNull(at_before) <= {lookback_ns:Int64} AS near
            FROM
            (
                SELECT
                    series_id,
                    series_id IN (SELECT series_id FROM metric_series WHERE /*series_near*/ AND temporality = 'delta') AS delta,
                    toUnixTimestamp64Nano(ts) AS at_ns, toUnixTimestamp64Nano(start_ts) AS start_ns, bounds,
                    if(empty(h.counts), [toInt64(count)], arrayMap(x -> toInt64(x), h.counts)) AS counts,
                    if(series_id IN (SELECT series_id FROM metric_series WHERE /*series_near*/ AND origin_id = 0),
                        rowNumberInAllBlocks() + 1, 0) AS place
                FROM metric_histograms AS h
                WHERE metric IN {metrics:Array(String)} AND series_id IN (SELECT series_id FROM metric_series WHERE /*series_near*/)
                    AND toStartOfHour(ts) >= toStartOfHour(fromUnixTimestamp64Nano({from_ns:Int64} - {lookback_ns:Int64}, 'UTC'))
                    AND ts > fromUnixTimestamp64Nano({from_ns:Int64} - {lookback_ns:Int64}, 'UTC')
                    AND toStartOfHour(ts) <= fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC')
                    AND ts <= fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC')
                    AND bitAnd(flags, 1) = 0 AND original_ns = 0
                    AND (length(h.counts) = length(bounds) + 1 OR (empty(h.counts) AND empty(bounds)))
                ORDER BY series_id, at_ns, h.count DESC
                LIMIT 1 BY series_id, start_ns, at_ns, place
            )
            WINDOW stream AS (PARTITION BY series_id, if(delta, 0, start_ns) ORDER BY at_ns ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
        )
        WHERE at_ns > {from_ns:Int64} AND arraySum(increases) > 0
    ) AS p
    INNER JOIN (/*series_selected*/) AS s ON s.series_id = p.series_id
)
GROUP BY sli, minute, labels
