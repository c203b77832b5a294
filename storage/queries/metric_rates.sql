-- Increase and rate a second of counters, in steps of [start, end), by group; the groups that rose most first.
-- An increase is spread evenly over the time between its two points. A cumulative counter's rate is over the time that its
-- points cover, so that a step that is not complete yet does not look like a fall; a delta's silence is no events.
SELECT
    labels, count() OVER () AS groups,
    arraySort(groupArray((step, group_rate, group_increase))) AS steps
FROM
(
    SELECT labels, step, sum(rate) AS group_rate, sum(increase_in_step) AS group_increase
    FROM
    (
        SELECT
            labels, series_id, step,
            sum(part) AS increase_in_step,
            sum(overlap_ns) AS covered_ns,
            least({step_ns:Int64}, {end_ns:Int64} - {start_ns:Int64} - step * {step_ns:Int64}) AS width_ns,
            1e9 * increase_in_step / if(any(delta) OR covered_ns = 0, width_ns, covered_ns) AS rate
        FROM
        (
            SELECT
                s.labels AS labels, i.series_id AS series_id, i.delta AS delta,
                greatest(i.from_ns, {start_ns:Int64}) AS low_ns,
                arrayJoin(range(
                    toUInt64(intDiv(if(i.from_ns < i.at_ns, low_ns, i.at_ns - 1) - {start_ns:Int64}, {step_ns:Int64})),
                    toUInt64(intDiv(i.at_ns - 1 - {start_ns:Int64}, {step_ns:Int64}) + 1))) AS step,
                greatest(0, least(i.at_ns, {start_ns:Int64} + toInt64(step + 1) * {step_ns:Int64})
                    - greatest(i.from_ns, {start_ns:Int64} + toInt64(step) * {step_ns:Int64})) AS overlap_ns,
                if(i.from_ns < i.at_ns, i.increase * overlap_ns / (i.at_ns - i.from_ns), i.increase) AS part
            FROM (/*increases*/) AS i
            INNER JOIN (/*selected*/) AS s ON s.series_id = i.series_id
        )
        GROUP BY labels, series_id, step
    )
    GROUP BY labels, step
)
GROUP BY labels
ORDER BY sum(group_increase) DESC, labels
LIMIT {limit:UInt32}
