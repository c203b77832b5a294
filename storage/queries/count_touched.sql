-- Minutes of some services that received rows since a moment.
SELECT DISTINCT minute
FROM arrivals
WHERE arrived >= {since:DateTime('UTC')} AND minute >= {oldest:DateTime('UTC')} AND service IN {services:Array(String)}
ORDER BY minute
