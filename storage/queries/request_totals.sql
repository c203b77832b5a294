-- Good and bad requests of one SLI in [start, end), as it counts them (a sampled span stands for `weight` of them), and
-- how many bad spans are stored.
SELECT
    sumIf(weight, /*good*/) AS good,
    sumIf(weight, NOT (/*good*/)) AS bad,
    countIf(NOT (/*good*/)) AS bad_spans
FROM spans
WHERE toStartOfFiveMinutes(ts) >= toStartOfFiveMinutes({start:DateTime('UTC')})
    AND ts >= {start:DateTime('UTC')} AND ts < {end:DateTime('UTC')}
    AND service = {service:String} AND ({any_environment:Bool} OR environment = {environment:String})
    AND kind IN {kinds:Array(String)} AND NOT quarantined AND (/*filter*/)
