-- Good and bad events of SLIs between moments (`bounds`, ascending, in seconds since 1970): hours that no bound cuts come
-- from the hourly sums, the `edges` from minutes. Each row has the starts of its intervals that hold anything. Series as
-- wholes are group ''; by group, the `most` groups of a series with the most bad events over all of the time stand for themselves, the others for one.
WITH
    counted AS
    (
        SELECT series, grp, toUInt32(hour) AS at, good, bad
        FROM sli_hours FINAL
        WHERE hour >= {start:DateTime('UTC')} AND hour < {end:DateTime('UTC')}
            AND hour NOT IN {edges:Array(DateTime('UTC'))} AND series IN {series:Array(UInt64)}
            AND (grp != '') = {by_group:Bool}
        UNION ALL
        SELECT series, grp, toUInt32(minute) AS at, good, bad
        FROM sli_minutes FINAL
        WHERE toStartOfHour(minute) IN {edges:Array(DateTime('UTC'))} AND series IN {series:Array(UInt64)}
            AND minute >= {start:DateTime('UTC')} AND minute < {end:DateTime('UTC')} AND (grp != '') = {by_group:Bool}
    ),
    summed AS
    (
        SELECT series, grp AS name, roundDown(at, {bounds:Array(UInt32)}) AS start,
            sum(good) AS good, sum(bad) AS bad
        FROM counted
        GROUP BY series, name, start
    ),
    weighed AS
    (
        SELECT *, sum(bad) OVER (PARTITION BY series, name) AS of_bad, sum(good) OVER (PARTITION BY series, name) AS of_good
        FROM summed
    ),
    ranked AS
    (
        SELECT *, dense_rank() OVER (PARTITION BY series ORDER BY of_bad DESC, of_good DESC, name) AS place FROM weighed
    ),
    capped AS
    (
        SELECT series, if(place <= {most:UInt32}, name, {other:String}) AS grp, start, sum(good) AS good, sum(bad) AS bad
        FROM ranked
        GROUP BY series, grp, start
    )
SELECT series, grp, groupArray(start) AS starts, groupArray(good) AS goods, groupArray(bad) AS bads
FROM capped
GROUP BY series, grp
