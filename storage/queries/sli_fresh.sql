-- Minutes in which a good event is at most `within_s` old, between moments (`bounds`, whole minutes, ascending, in seconds
-- since 1970). A minute with good events covers the time up to the next one, or `within_s`; what it covers of an interval
-- counts there. Each row has one number for each interval. Of groups those `named` stand for themselves, the others for one.
SELECT
    series,
    name AS grp,
    arraySort(groupUniqArray(toInt64(toUInt32(minute)))) AS minutes,
    arrayMap(
        (minute, next) -> least(minute + {within_s:UInt32}, next),
        minutes, arrayPushBack(arrayPopFront(minutes), 4294967295)
    ) AS ends,
    arrayPopBack({bounds:Array(UInt32)}) AS starts,
    arrayMap(
        (start, end) -> intDiv(arraySum(arrayMap((m, e) -> greatest(0, least(e, end) - greatest(m, start)), minutes, ends)), 60),
        starts, arrayPopFront({bounds:Array(UInt32)})
    ) AS goods,
    arrayResize([0], length(goods)) AS bads
FROM
(
    SELECT
        series,
        multiIf(NOT {by_group:Bool}, '', grp IN {named:Array(String)}, grp, {other:String}) AS name,
        minute
    FROM sli_minutes FINAL
    WHERE good > 0 AND series IN {series:Array(UInt64)} AND (grp != '') = {by_group:Bool}
        AND minute >= {start:DateTime('UTC')} AND minute < {end:DateTime('UTC')}
)
GROUP BY series, name
