-- Values that exponential histograms counted, by SLI, minute and group; good are those up to the threshold. Streams, resets
-- and minutes as in count_counters. A bucket i of scale s holds (2^(i/2^s), 2^((i+1)/2^s)]; two points are compared at the
-- coarser one of their scales. A threshold inside a bucket is read as the bound below it, as in count_histograms.
WITH
    (at_most, scale_now) -> toInt64(floor(log2(at_most) * exp2(scale_now))) AS buckets_below,
    (at_most, own, common, first, counts) -> if(at_most > 0,
        arraySum(arraySlice(counts, 1, greatest(0, least(toInt64(length(counts)),
            toInt64(buckets_below(at_most, common) * exp2(own - common)) - first)))), 0) AS up_to
SELECT
    sli AS series, toDateTime(intDiv(at_ns - 1, 60000000000) * 60, 'UTC') AS minute, labels,
    sum(greatest(0, least(good_now - if(whole, 0, good_before), all_values))) AS good_values,
    toUInt64(good_values) AS good,
    toUInt64(sum(all_values)) AS total,
    total AS seen,
    toUInt64(sumIf(all_values, NOT exact)) AS doubtful,
    min(nearest) AS bound
FROM
(
    SELECT
        sli, labels, at_ns, whole,
        if(whole, scale, least(scale, scale_before)) AS common,
        up_to(threshold, scale, common, positive_offset, positive_counts)
            + if(threshold >= zero_threshold, zero_count, 0) + if(threshold >= 0, negative_sum, 0) AS good_now,
        up_to(threshold, scale_before, common, offset_before, positive_before)
            + if(threshold >= zero_threshold, zero_before, 0) + if(threshold >= 0, negative_before, 0) AS good_before,
        values_now - if(whole, 0, values_before) AS all_values,
        threshold > 0 AND threshold >= zero_threshold
            AND log2(threshold) * exp2(common) = buckets_below(threshold, common) AS exact,
        if(threshold > 0, exp2(buckets_below(threshold, common) / exp2(common)), 0) AS nearest
    FROM
    (
        SELECT
            *,
            delta OR NOT near OR values_now < values_before OR zero_count < zero_before AS whole,
            multiIf(
                delta, place > 0 OR NOT near OR start_ns = 0 OR start_ns >= start_before,
                near, true,
                start_ns > 0 AND start_ns >= at_ns - {lookback_ns:Int64} AND start_ns < at_ns) AS counted
        FROM
        (
            SELECT
                series_id, delta, at_ns, start_ns, place, scale, zero_count, zero_threshold, positive_offset, positive_counts,
                negative_sum, values_now,
                lagInFrame(toNullable(at_ns)) OVER stream AS at_before,
                lagInFrame(start_ns) OVER stream AS start_before,
                lagInFrame(scale) OVER stream AS scale_before,
                lagInFrame(zero_count) OVER stream AS zero_before,
                lagInFrame(positive_offset) OVER stream AS offset_before,
                lagInFrame(positive_counts) OVER stream AS positive_before,
                lagInFrame(negative_sum) OVER stream AS negative_before,
                lagInFrame(values_now) OVER stream AS values_before,
                isNotNull(at_before) AND at_ns - assumeNotNull(at_before) <= {lookback_ns:Int64} AS near
            FROM
            (
                SELECT
                    series_id,
                    series_id IN (SELECT series_id FROM metric_series WHERE /*series_near*/ AND temporality = 'delta') AS delta,
                    toUnixTimestamp64Nano(ts) AS at_ns, toUnixTimestamp64Nano(start_ts) AS start_ns,
                    toInt64(h.scale) AS scale, toInt64(h.zero_count) AS zero_count, zero_threshold,
                    toInt64(h.positive_offset) AS positive_offset, arrayMap(x -> toInt64(x), h.positive_counts) AS positive_counts,
                    toInt64(arraySum(negative_counts)) AS negative_sum,
                    arraySum(positive_counts) + negative_sum + zero_count AS values_now,
                    if(series_id IN (SELECT series_id FROM metric_series WHERE /*series_near*/ AND origin_id = 0),
                        rowNumberInAllBlocks() + 1, 0) AS place
                FROM metric_exponential_histograms AS h
                WHERE metric IN {metrics:Array(String)} AND series_id IN (SELECT series_id FROM metric_series WHERE /*series_near*/)
                    AND toStartOfHour(ts) >= toStartOfHour(fromUnixTimestamp64Nano({from_ns:Int64} - {lookback_ns:Int64}, 'UTC'))
                    AND ts > fromUnixTimestamp64Nano({from_ns:Int64} - {lookback_ns:Int64}, 'UTC')
                    AND toStartOfHour(ts) <= fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC')
                    AND ts <= fromUnixTimestamp64Nano({to_ns:Int64}, 'UTC')
                    AND bitAnd(flags, 1) = 0 AND original_ns = 0 AND h.scale BETWEEN -10 AND 20
                ORDER BY series_id, at_ns, h.count DESC
                LIMIT 1 BY series_id, start_ns, at_ns, place
            )
            WINDOW stream AS (PARTITION BY series_id, if(delta, 0, start_ns) ORDER BY at_ns ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
        )
        WHERE at_ns > {from_ns:Int64}
    ) AS p
    INNER JOIN (/*series_selected*/) AS s ON s.series_id = p.series_id
    WHERE counted
)
WHERE all_values > 0
GROUP BY sli, minute, labels
