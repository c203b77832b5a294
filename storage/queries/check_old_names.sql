-- Attribute names that the semantic conventions have replaced.
WITH
    ['http.method', 'http.status_code', 'http.url', 'http.target', 'http.scheme', 'http.flavor', 'http.client_ip',
        'http.user_agent', 'net.peer.name', 'net.peer.port', 'net.peer.ip', 'net.host.name', 'net.host.port', 'db.system',
        'db.statement', 'db.operation', 'db.name', 'db.sql.table', 'rpc.system', 'rpc.grpc.status_code'] AS old_names,
    arrayIntersect(arrayMap(x -> toString(x), mapKeys(attributes)), old_names) AS used
SELECT
    service, environment,
    count() AS spans,
    countIf(notEmpty(used)) AS with_old_names,
    arraySort(groupUniqArrayArray(used)) AS examples
FROM spans
WHERE toStartOfFiveMinutes(ts) >= toStartOfFiveMinutes({start:DateTime('UTC')}) AND ts >= {start:DateTime('UTC')}
    AND ({service:String} = '' OR service = {service:String})
GROUP BY service, environment
HAVING with_old_names > 0
ORDER BY service, environment
