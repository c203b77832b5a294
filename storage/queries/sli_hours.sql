-- Sums of some hours of some series, from their minutes as they are now: rows of the table sli_hours.
SELECT
    series,
    grp,
    toStartOfHour(minute) AS hour,
    sum(m.good) AS good,
    sum(m.bad) AS bad,
    sum(m.seen) AS seen,
    countIf(m.good + m.bad > 0) AS minutes,
    minOrNullIf(minute, m.good + m.bad > 0) AS first,
    max(m.revision) AS revision
FROM sli_minutes AS m FINAL
WHERE toStartOfHour(minute) IN /*hours*/ AND series IN /*series*/
GROUP BY series, grp, hour
