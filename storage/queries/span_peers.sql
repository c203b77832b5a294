-- Whom some client spans called, by the name that the caller gave it: the service, else the kind of database, else the
-- host (of a Kubernetes address the service's name). A bare IP address names nobody. Places as in request_spans, with 16
-- digits of span id behind them.
WITH
    multiIf(
        attributes['server.address'] != '', otlp_string(attributes['server.address']),
        otlp_string(attributes['net.peer.name'])) AS host
SELECT
    lower(hex(trace_id)) AS trace_id_hex,
    lower(hex(span_id)) AS span_id_hex,
    toValidUTF8(multiIf(
        attributes['service.peer.name'] != '', otlp_string(attributes['service.peer.name']),
        attributes['peer.service'] != '', otlp_string(attributes['peer.service']),
        attributes['db.system.name'] != '', otlp_string(attributes['db.system.name']),
        attributes['db.system'] != '', otlp_string(attributes['db.system']),
        isIPv4String(host) OR isIPv6String(host) OR host = 'localhost', '',
        match(host, '\\.svc(\\.|$)'), splitByChar('.', host)[1],
        host)) AS peer
FROM spans
WHERE (toStartOfFiveMinutes(ts), trace_id, span_id) IN
    (
        SELECT
            toDateTime(reinterpretAsUInt32(reverse(unhex(substring(place, 1, 8)))), 'UTC'),
            toFixedString(unhex(substring(place, 9, 32)), 16),
            toFixedString(unhex(substring(place, 41, 16)), 8)
        FROM
        (
            SELECT arrayJoin(arrayMap(n -> substring({places:String}, 56 * n + 1, 56), range(intDiv(length({places:String}), 56)))) AS place
        )
    )
LIMIT 1 BY trace_id, span_id
