-- Spans whose parent is not there, in a sample of traces. Parents are looked for in a wider window than children.
WITH parent_span_id NOT IN
    (
        SELECT span_id
        FROM spans
        WHERE toStartOfFiveMinutes(ts) >= toStartOfFiveMinutes({start:DateTime('UTC')}) AND ts >= {start:DateTime('UTC')}
            AND cityHash64(trace_id) % {one_in:UInt32} = 0
    ) AS orphan
SELECT
    service, environment,
    count() AS children,
    countIf(orphan) AS orphans,
    countIf(orphan AND bitAnd(flags, 0x300) = 0x300) AS remote,
    arrayMap(x -> lower(hex(x)), groupUniqArrayIf(3)(trace_id, orphan)) AS examples
FROM spans
WHERE toStartOfFiveMinutes(ts) >= toStartOfFiveMinutes({children_start:DateTime('UTC')})
    AND ts >= {children_start:DateTime('UTC')} AND ts < {children_end:DateTime('UTC')}
    AND cityHash64(trace_id) % {one_in:UInt32} = 0
    AND ({service:String} = '' OR service = {service:String})
    AND parent_span_id != toFixedString('', 8)
GROUP BY service, environment
HAVING orphans > 0
ORDER BY service, environment
