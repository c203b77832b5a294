-- Good and bad requests of one SLI in [start, end) by what every span has a column for and by where it ran: exact. Of
-- each attribute the 20 values with most bad requests, and how many values it has. Spans are grouped by all of that at once, and the groups are
-- summed by each: one scan.
SELECT attribute, value, sum(group_good) AS good, sum(group_bad) AS bad, count() OVER (PARTITION BY attribute) AS distinct
FROM
(
    SELECT
        counted.group_good AS group_good,
        counted.group_bad AS group_bad,
        arrayJoin(arrayConcat(
            [
                ('http.route', toString(counted.http_route)),
                ('service.version', toString(counted.version)),
                ('http.response.status_code', if(counted.http_status = 0, '', toString(counted.http_status))),
                ('name', toString(counted.name)),
                ('deployment.environment.name', toString(counted.environment))
            ],
            arrayMap(k -> (k, toValidUTF8(otlp_text(o.attributes[k]))),
                arrayFilter(k -> mapContains(o.attributes, k), {resource_keys:Array(String)})))) AS pair,
        pair.1 AS attribute,
        pair.2 AS value
    FROM
    (
        SELECT http_route, version, http_status, name, environment, origin_id,
            sumIf(weight, /*good*/) AS group_good, sumIf(weight, NOT (/*good*/)) AS group_bad
        FROM spans
        WHERE toStartOfFiveMinutes(ts) >= toStartOfFiveMinutes({start:DateTime('UTC')})
            AND ts >= {start:DateTime('UTC')} AND ts < {end:DateTime('UTC')}
            AND service = {service:String} AND ({any_environment:Bool} OR environment = {environment:String})
            AND kind IN {kinds:Array(String)} AND NOT quarantined AND (/*filter*/)
        GROUP BY http_route, version, http_status, name, environment, origin_id
    ) AS counted
    LEFT ANY JOIN (SELECT origin_id, attributes FROM origins WHERE service = {service:String}) AS o
        ON o.origin_id = counted.origin_id
)
GROUP BY attribute, value
ORDER BY attribute, bad DESC, good DESC, value
LIMIT {values:UInt32} BY attribute
