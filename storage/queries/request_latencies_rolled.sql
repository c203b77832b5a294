-- Latency buckets of the requests of an SLI without a filter in [start, end), from the rollup.
SELECT sumMap(hist) AS buckets
FROM red_1m
WHERE service = {service:String} AND ({any_environment:Bool} OR environment = {environment:String})
    AND kind IN {kinds:Array(String)} AND t >= {start:DateTime('UTC')} AND t < {end:DateTime('UTC')}
