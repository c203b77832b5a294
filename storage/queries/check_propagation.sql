-- Calls to a service that sends server spans, and how many of them have one there. The callee is known by
-- service.peer.name, peer.service, or the first label of the host that was called.
WITH
    calls AS
    (
        SELECT
            service, environment, trace_id, span_id,
            multiIf(
                attributes['service.peer.name'] != '', otlp_string(attributes['service.peer.name']),
                attributes['peer.service'] != '', otlp_string(attributes['peer.service']),
                splitByChar('.', otlp_string(if(attributes['server.address'] != '', attributes['server.address'],
                    attributes['net.peer.name'])))[1]) AS callee
        FROM spans
        WHERE toStartOfFiveMinutes(ts) >= toStartOfFiveMinutes({start:DateTime('UTC')})
            AND ts >= {start:DateTime('UTC')} AND ts < {calls_end:DateTime('UTC')}
            AND kind = 'client' AND NOT error AND ({service:String} = '' OR service = {service:String})
    ),
    servers AS
    (
        SELECT service, span_id, parent_span_id
        FROM spans
        WHERE toStartOfFiveMinutes(ts) >= toStartOfFiveMinutes({start:DateTime('UTC')}) AND ts >= {start:DateTime('UTC')}
            AND kind = 'server'
    ),
    roots AS
    (
        SELECT toString(service) AS callee, countIf(parent_span_id = toFixedString('', 8)) AS new_traces
        FROM servers
        GROUP BY callee
    )
SELECT service, environment, callee, calls, continued, new_traces, examples
FROM
(
    SELECT
        service, environment, callee,
        count() AS calls,
        countIf(span_id IN (SELECT parent_span_id FROM servers)) AS continued,
        arrayMap(x -> lower(hex(x)), groupUniqArray(3)(trace_id)) AS examples
    FROM calls
    WHERE callee IN (SELECT callee FROM roots) AND callee != service
    GROUP BY service, environment, callee
) AS called
INNER JOIN roots USING (callee)
WHERE continued < calls AND new_traces > 0
ORDER BY service, environment, callee
