-- Latency buckets of the requests of an SLI in [start, end), span by span; buckets as in span_groups.
SELECT sumMap(map(bucket, requests)) AS buckets
FROM
(
    SELECT toInt16(floor(log2(greatest(duration_ns, 1)) * 32)) AS bucket, sum(weight) AS requests
    FROM spans
    WHERE toStartOfFiveMinutes(ts) >= toStartOfFiveMinutes({start:DateTime('UTC')})
        AND ts >= {start:DateTime('UTC')} AND ts < {end:DateTime('UTC')}
        AND service = {service:String} AND ({any_environment:Bool} OR environment = {environment:String})
        AND kind IN {kinds:Array(String)} AND NOT quarantined AND (/*filter*/)
    GROUP BY bucket
)
