-- Versions of some services with requests in [start, end), by when each was first seen.
SELECT service, toString(version) AS version, min(t) AS first_minute
FROM red_1m
WHERE service IN {services:Array(String)} AND ({any_environment:Bool} OR environment = {environment:String})
    AND version != '' AND kind IN ('server', 'consumer')
    AND t >= {start:DateTime('UTC')} AND t < {end:DateTime('UTC')}
GROUP BY service, version
ORDER BY service, first_minute, version
