-- Spans that say that they were sampled, in words that give them no weight here.
WITH
    toFloat64OrZero(extract(trace_state, '(?:^|,)es=(?:[^,]*;)?s:([0-9.]+)')) AS elastic,
    if(attributes['SampleRate'] != '', otlp_int(attributes['SampleRate']), otlp_int(attributes['_sample_rate'])) AS one_in,
    otlp_double(attributes['sampler.param']) AS jaeger,
    otlp_double(attributes['sampling.probability']) AS probability,
    multiIf(
        elastic > 0 AND elastic < 1, elastic,
        one_in > 1, 1 / one_in,
        otlp_string(attributes['sampler.type']) = 'probabilistic' AND jaeger > 0 AND jaeger < 1, jaeger,
        probability > 0 AND probability < 1, probability,
        1) AS ratio
SELECT
    service, environment,
    countIf(ratio < 1) AS sampled,
    avgIf(ratio, ratio < 1) AS mean_ratio,
    anyIf(multiIf(elastic > 0, 'trace state es=s:', one_in > 1, 'SampleRate', jaeger > 0, 'sampler.param',
        'sampling.probability'), ratio < 1) AS told_by,
    arrayMap(x -> lower(hex(x)), groupUniqArrayIf(3)(trace_id, ratio < 1)) AS examples
FROM spans
WHERE toStartOfFiveMinutes(ts) >= toStartOfFiveMinutes({start:DateTime('UTC')}) AND ts >= {start:DateTime('UTC')}
    AND weight = 1 AND ({service:String} = '' OR service = {service:String})
    AND (position(trace_state, 'es=') > 0
        OR hasAny(mapKeys(attributes), ['SampleRate', '_sample_rate', 'sampler.param', 'sampling.probability']))
GROUP BY service, environment
HAVING sampled > 0
ORDER BY service, environment
