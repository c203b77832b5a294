-- One SLI's minutes over [start, end) in steps that are counted from its start, whatever the clock says. Minutes of
-- `excluded` intervals [start, end) are left out.
SELECT
    {start:DateTime('UTC')} + toIntervalSecond(intDiv(dateDiff('second', {start:DateTime('UTC')}, minute), {step_s:UInt32}) * {step_s:UInt32}) AS at,
    sum(good) AS good,
    sum(bad) AS bad
FROM sli_minutes FINAL
WHERE series = {series:UInt64} AND grp = '' AND minute >= {start:DateTime('UTC')} AND minute < {end:DateTime('UTC')}
    AND NOT arrayExists(x -> minute >= x.1 AND minute < x.2, {excluded:Array(Tuple(DateTime('UTC'), DateTime('UTC')))})
GROUP BY at
ORDER BY at
