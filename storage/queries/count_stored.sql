-- What is stored of these SLIs in some minutes (numbers since 1970): groups alone, or whole minutes too. The table is
-- ordered by hours: only those of the minutes are read, however far apart they lie.
SELECT series, minute, grp, good, bad
FROM sli_minutes FINAL
WHERE series IN {series:Array(UInt64)} AND ({wholes:Bool} OR grp != '')
    AND toStartOfHour(minute) IN (SELECT toStartOfHour(toDateTime(60 * arrayJoin({minutes:Array(UInt32)}), 'UTC')))
    AND intDiv(toUnixTimestamp(minute), 60) IN {minutes:Array(UInt32)}
