-- What exponential histograms counted in steps of [start, end), by group: buckets by index at the coarsest scale in sight.
-- Buckets are subtracted after that, so that a stream may change its scale. Starts, resets and what overflowed as in metric_increases.
WITH
    (
        SELECT min(scale) FROM metric_exponential_histograms
        WHERE metric = {metric:String} AND series_id IN (SELECT series_id FROM (/*selected*/))
            AND toStartOfHour(ts) >= toStartOfHour(fromUnixTimestamp64Nano({start_ns:Int64} - {lookback_ns:Int64}, 'UTC'))
            AND ts <= fromUnixTimestamp64Nano({end_ns:Int64}, 'UTC')
            AND scale BETWEEN -10 AND 20 AND bitAnd(flags, 1) = 0
    ) AS common,
    (first, size, own) -> arrayMap(i -> toInt64(floor((toInt64(first) + i) / exp2(own - common))), range(size)) AS indexes
SELECT
    labels, step, common AS scale,
    sumMap(positive_indexes, positive_increases) AS positive,
    sumMap(negative_indexes, negative_increases) AS negative,
    sum(zero_increase) AS zero,
    max(zero_threshold) AS threshold
FROM
(
    SELECT
        s.labels AS labels,
        toUInt64(intDiv(at_ns - 1 - {start_ns:Int64}, {step_ns:Int64})) AS step,
        zero_threshold,
        multiIf(
            {delta:Bool}, place > 0 OR isNull(at_before) OR start_ns = 0 OR start_ns >= start_before,
            isNull(at_before), start_ns > 0 AND start_ns >= {start_ns:Int64} - {lookback_ns:Int64} AND start_ns < at_ns,
            true) AS counted,
        {delta:Bool} OR isNull(at_before) OR count < count_before OR zero_count < zero_before AS whole,
        arrayConcat(positive_now, if(whole, emptyArrayInt64(), positive_before)) AS positive_indexes,
        arrayConcat(arrayMap(x -> toInt64(x), positive_counts),
            if(whole, emptyArrayInt64(), arrayMap(x -> -toInt64(x), positive_counts_before))) AS positive_increases,
        arrayConcat(negative_now, if(whole, emptyArrayInt64(), negative_before)) AS negative_indexes,
        arrayConcat(arrayMap(x -> toInt64(x), negative_counts),
            if(whole, emptyArrayInt64(), arrayMap(x -> -toInt64(x), negative_counts_before))) AS negative_increases,
        toInt64(zero_count) - if(whole, 0, toInt64(zero_before)) AS zero_increase
    FROM
    (
        SELECT
            series_id, at_ns, start_ns, count, zero_count, zero_threshold, place,
            positive_now, positive_counts, negative_now, negative_counts,
            lagInFrame(toNullable(at_ns)) OVER stream AS at_before,
            lagInFrame(start_ns) OVER stream AS start_before,
            lagInFrame(count) OVER stream AS count_before,
            lagInFrame(zero_count) OVER stream AS zero_before,
            lagInFrame(positive_now) OVER stream AS positive_before,
            lagInFrame(positive_counts) OVER stream AS positive_counts_before,
            lagInFrame(negative_now) OVER stream AS negative_before,
            lagInFrame(negative_counts) OVER stream AS negative_counts_before
        FROM
        (
            SELECT
                series_id, toUnixTimestamp64Nano(ts) AS at_ns, toUnixTimestamp64Nano(start_ts) AS start_ns,
                count, zero_count, zero_threshold, positive_counts, negative_counts,
                indexes(positive_offset, length(positive_counts), scale) AS positive_now,
                indexes(negative_offset, length(negative_counts), scale) AS negative_now,
                if(/*overflows*/, rowNumberInAllBlocks() + 1, 0) AS place
            FROM metric_exponential_histograms
            WHERE metric = {metric:String} AND series_id IN (SELECT series_id FROM (/*selected*/))
                AND toStartOfHour(ts) >= toStartOfHour(fromUnixTimestamp64Nano({start_ns:Int64} - {lookback_ns:Int64}, 'UTC'))
                AND ts > fromUnixTimestamp64Nano({start_ns:Int64} - {lookback_ns:Int64}, 'UTC')
                AND ts <= fromUnixTimestamp64Nano({end_ns:Int64}, 'UTC')
                AND bitAnd(flags, 1) = 0 AND original_ns = 0 AND scale BETWEEN -10 AND 20
            ORDER BY series_id, at_ns, count DESC
            LIMIT 1 BY series_id, start_ns, at_ns, place
        )
        WINDOW stream AS (PARTITION BY series_id, if({delta:Bool}, 0, start_ns) ORDER BY at_ns ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
    ) AS p
    INNER JOIN (/*selected*/) AS s ON s.series_id = p.series_id
    WHERE at_ns > {start_ns:Int64} AND counted AND has({shown:Array(Array(String))}, labels)
)
GROUP BY labels, step
ORDER BY labels, step
