-- Slices of time that hold events, between moments (`bounds`, starts of slices, ascending, in seconds since 1970): how many
-- are good and how many are not. Good is at least `at_least` events and good_part / whole_part of them good, in integers.
-- Each row has the starts of its intervals that hold anything. Of groups those `named` stand for themselves, the others
-- for one.
SELECT series, grp, groupArray(start) AS starts, groupArray(met) AS goods, groupArray(missed) AS bads
FROM
(
    SELECT series, grp, roundDown(slice, {bounds:Array(UInt32)}) AS start, countIf(is_good) AS met, countIf(NOT is_good) AS missed
    FROM
    (
        SELECT
            series,
            multiIf(NOT {by_group:Bool}, '', grp IN {named:Array(String)}, grp, {other:String}) AS name,
            intDiv(toUInt32(/*at*/), {length_s:UInt32}) * {length_s:UInt32} AS slice,
            sum(s.good) AS good_events,
            sum(s.good + s.bad) AS events,
            events >= {at_least:UInt64}
                AND toInt256(good_events) * {whole_part:Int256} >= toInt256(events) * {good_part:Int256} AS is_good
        FROM /*table*/ AS s FINAL
        WHERE series IN {series:Array(UInt64)} AND /*at*/ >= {start:DateTime('UTC')} AND /*at*/ < {end:DateTime('UTC')}
            AND (grp != '') = {by_group:Bool}
        GROUP BY series, name, slice
        HAVING events > 0
    )
    GROUP BY series, name AS grp, start
)
GROUP BY series, grp
