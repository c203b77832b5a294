-- Good and bad requests of one SLI in [start, end) by every attribute of their spans and by exception, in a sample: up to
-- bad_limit bad and good_limit good ones by a hash of the trace id, the same ones every time. The row without a key is
-- the whole sample. Only scalars are told apart, and a key that a span has twice counts once. The attributes that most
-- bad requests have come first, each with its 20 values with most bad requests and how many values it has. Left out are
-- keys that tell nothing: many values, and no bad request shares one.
-- exception.type: of the last event that has one (its KeyValue: key, tag, length, AnyValue), else the span's error.type.
WITH
    (e -> position(e, '\n\x0Eexception.type\x12') + 17) AS length_at,
    (e -> reinterpretAsUInt8(substring(e, length_at(e), 1))) AS first_byte,
    (e -> if(first_byte(e) < 128, substring(e, length_at(e) + 1, first_byte(e)), substring(e, length_at(e) + 2,
        first_byte(e) - 128 + 128 * reinterpretAsUInt8(substring(e, length_at(e) + 1, 1))))) AS exception_value,
    arrayLast(x -> x != '', arrayMap(e -> if(length_at(e) > 17, otlp_string(exception_value(e)), ''), events)) AS thrown,
    if(thrown != '', thrown, otlp_text(attributes['error.type'])) AS exception
SELECT key AS attribute, value, good, bad, key_values AS distinct
FROM
(
    SELECT key, value, good, bad,
        sum(bad_spans) OVER (PARTITION BY key) AS key_bad,
        max(bad_spans) OVER (PARTITION BY key) AS most_bad,
        count() OVER (PARTITION BY key) AS key_values
    FROM
    (
        SELECT
            pair.1 AS key,
            substringUTF8(toValidUTF8(pair.2), 1, 200) AS value,
            sumIf(weight, is_good) AS good,
            sumIf(weight, NOT is_good) AS bad,
            countIf(NOT is_good) AS bad_spans
        FROM
        (
            SELECT
                weight,
                /*good*/ AS is_good,
                arrayJoin(arrayConcat(
                    [('', '')],
                    if(exception = '', [], [('exception.type', exception)]),
                    arrayMap(p -> (toValidUTF8(toString(p.1)), otlp_text(p.2)),
                        arrayFilter((p, place) -> place = 1 AND p.1 != '' AND substring(p.2, 1, 1) IN ('\n', '\x10', '\x18', '!')
                            AND NOT has({known:Array(String)}, p.1), arrayZip(mapKeys(attributes), mapValues(attributes)),
                            arrayEnumerateUniq(arrayMap(k -> toValidUTF8(toString(k)), mapKeys(attributes))))))) AS pair
            FROM spans
            WHERE (toStartOfFiveMinutes(ts), trace_id, ids) IN
                (
                    SELECT five_minutes, trace_id, ids FROM
                    (
                        SELECT toStartOfFiveMinutes(ts) AS five_minutes, trace_id, ids
                        FROM spans
                        WHERE toStartOfFiveMinutes(ts) >= toStartOfFiveMinutes({start:DateTime('UTC')})
                            AND ts >= {start:DateTime('UTC')} AND ts < {end:DateTime('UTC')}
                            AND service = {service:String} AND ({any_environment:Bool} OR environment = {environment:String})
                            AND kind IN {kinds:Array(String)} AND NOT quarantined AND (/*filter*/) AND NOT (/*good*/)
                        ORDER BY cityHash64(trace_id), ids
                        LIMIT {bad_limit:UInt32}
                    )
                    UNION ALL
                    SELECT five_minutes, trace_id, ids FROM
                    (
                        SELECT toStartOfFiveMinutes(ts) AS five_minutes, trace_id, ids
                        FROM spans
                        WHERE toStartOfFiveMinutes(ts) >= toStartOfFiveMinutes({start:DateTime('UTC')})
                            AND ts >= {start:DateTime('UTC')} AND ts < {end:DateTime('UTC')}
                            AND service = {service:String} AND ({any_environment:Bool} OR environment = {environment:String})
                            AND kind IN {kinds:Array(String)} AND NOT quarantined AND (/*filter*/) AND (/*good*/)
                        ORDER BY cityHash64(trace_id), ids
                        LIMIT {good_limit:UInt32}
                    )
                )
                AND ts >= {start:DateTime('UTC')} AND ts < {end:DateTime('UTC')}
                AND service = {service:String} AND ({any_environment:Bool} OR environment = {environment:String})
                AND kind IN {kinds:Array(String)} AND NOT quarantined
        )
        GROUP BY key, value
    )
)
WHERE key_values <= {values:UInt32} OR most_bad > 1
ORDER BY key != '', key = 'exception.type' DESC, key_bad DESC, key, bad DESC, good DESC, value
LIMIT {values:UInt32} BY key
LIMIT {most:UInt32}
