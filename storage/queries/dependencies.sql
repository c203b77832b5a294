-- What a service calls: its client spans of [start, end) by destination, with the service that answered, where one did.
-- Spans of the other side may come from clocks that are off by minutes.
WITH answered AS
(
    SELECT trace_id, parent_span_id, any(toString(service)) AS server
    FROM spans
    WHERE toStartOfFiveMinutes(ts) >= toStartOfFiveMinutes({start:DateTime64(9, 'UTC')}) - 300
        AND ts >= {start:DateTime64(9, 'UTC')} - toIntervalMinute(5) AND ts < {end:DateTime64(9, 'UTC')} + toIntervalMinute(5)
        AND kind IN ('server', 'consumer') AND service != {service:String}
    GROUP BY trace_id, parent_span_id
),
calls AS
(
    SELECT trace_id, span_id, duration_ns, error,
        -- the names of today, of the conventions before 1.23, and where there is only the URL, what it says
        -- (domain() wants a dot in the name, port() knows no IPv6)
        otlp_string(if(attributes['url.full'] != '', attributes['url.full'], attributes['http.url'])) AS url,
        coalesce(nullIf(otlp_string(attributes['server.address']), ''), nullIf(otlp_string(attributes['net.peer.name']), ''),
            extract(url, '^[a-z]+://(?:[^/@]*@)?(\\[[^/]+\\]|[^/:?#]+)')) AS address,
        coalesce(nullIf(otlp_int(attributes['server.port']), 0), nullIf(otlp_int(attributes['net.peer.port']), 0),
            nullIf(toInt64OrZero(extract(url, '^[a-z]+://[^/?#]*:([0-9]+)(?:[/?#]|$)')), 0),
            transform(protocol(url), ['http', 'https'], [80, 443], 0)) AS port,
        attributes['http.request.method'] != '' OR attributes['http.method'] != '' AS is_http,
        otlp_string(if(attributes['db.system.name'] != '', attributes['db.system.name'], attributes['db.system'])) AS db
    FROM spans
    WHERE toStartOfFiveMinutes(ts) >= toStartOfFiveMinutes({start:DateTime64(9, 'UTC')})
        AND ts >= {start:DateTime64(9, 'UTC')} AND ts < {end:DateTime64(9, 'UTC')}
        AND service = {service:String} AND ({environment:String} = '' OR environment = {environment:String}) AND kind = 'client'
)
SELECT
    address, ifNull(port, 0) AS port,
    anyIf(answered.server, answered.server != '') AS server,
    if(countIf(is_http) > 0, 'http', any(db)) AS protocol,
    count() AS calls,
    countIf(error) AS errors,
    quantileExact(0.5)(duration_ns) / 1e6 AS p50_ms,
    quantileExact(0.95)(duration_ns) / 1e6 AS p95_ms
FROM calls
LEFT JOIN answered ON answered.trace_id = calls.trace_id AND answered.parent_span_id = calls.span_id
GROUP BY address, port
ORDER BY calls DESC, address, port
LIMIT 100
SETTINGS join_use_nulls = 0, max_execution_time = 20
