-- Calls between services on two sides of a comparison. Whom a client span called is told by its child in another service;
-- of a call that never arrived by where other calls of the same client to that address arrived, else by the name or the
-- address that the client gave.
WITH
calls AS
(
    SELECT trace_id, span_id, client, side, duration_ns, error, address, port, named
    FROM
    (
        SELECT
            trace_id, span_id, toString(service) AS client, duration_ns, error, /*side*/ AS side,
            toValidUTF8(otlp_string(attributes['server.address'])) AS address,
            otlp_int(attributes['server.port']) AS port,
            toValidUTF8(multiIf(
                attributes['service.peer.name'] != '', otlp_string(attributes['service.peer.name']),
                attributes['peer.service'] != '', otlp_string(attributes['peer.service']),
                attributes['db.system.name'] != '', otlp_string(attributes['db.system.name']),
                otlp_string(attributes['db.system']))) AS named
        FROM spans
        WHERE /*times*/ AND kind IN ('client', 'producer') AND NOT quarantined
            AND ({any_environment:Bool} OR environment = {environment:String})
    )
    WHERE side != ''
),
answered AS
(
    SELECT trace_id, parent_span_id AS span_id, toString(any(service)) AS arrived
    FROM spans
    WHERE /*answer_times*/ AND kind IN ('server', 'consumer') AND NOT quarantined AND parent_span_id != toFixedString('', 8)
    GROUP BY trace_id, span_id
),
destinations AS
(
    SELECT client, address, port, any(arrived) AS known
    FROM calls INNER JOIN answered USING (trace_id, span_id)
    WHERE address != ''
    GROUP BY client, address, port
    HAVING uniqExact(arrived) = 1
)
SELECT
    client,
    multiIf(arrived != '', arrived, known != '', known, named != '', named, address = '', '', port = 0, address,
        concat(address, ':', toString(port))) AS server,
    side,
    count() AS calls,
    countIf(error) AS errors,
    quantileExact(0.95)(duration_ns) / 1e6 AS p95_ms
FROM calls
LEFT JOIN answered USING (trace_id, span_id)
LEFT JOIN destinations USING (client, address, port)
WHERE server != ''
GROUP BY client, server, side
ORDER BY calls DESC, client, server, side
LIMIT {limit:UInt32}
SETTINGS max_execution_time = 20, max_memory_usage = 1000000000
