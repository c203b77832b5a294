-- What is stored of these SLIs in some minutes (numbers since 1970): groups alone, or whole minutes too.
SELECT series, minute, grp, good, bad
FROM sli_minutes FINAL
WHERE series IN {series:Array(UInt64)} AND ({wholes:Bool} OR grp != '')
    AND minute >= toDateTime(60 * arrayMin({minutes:Array(UInt32)}), 'UTC')
    AND minute <= toDateTime(60 * arrayMax({minutes:Array(UInt32)}), 'UTC')
    AND intDiv(toUnixTimestamp(minute), 60) IN {minutes:Array(UInt32)}
