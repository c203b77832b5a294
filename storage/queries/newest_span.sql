-- Start of the newest span of a service ('' = any), from the minutes of the last day; None when there is none.
SELECT maxOrNull(ts) AS newest
FROM spans
WHERE toStartOfFiveMinutes(ts) >= toStartOfFiveMinutes(now('UTC') - {window_s:UInt32})
    AND ({service:String} = '' OR service = {service:String}) AND NOT quarantined
