-- Minutes whose verdict was changed in [start, end), newest change first.
SELECT
    at, slo_id, series, grp, minute, good_before, bad_before, good_after, bad_after,
    toString(verdict_before) AS before, toString(verdict_after) AS after, cause
FROM sli_corrections FINAL
WHERE at >= {start:DateTime64(3, 'UTC')} AND at < {end:DateTime64(3, 'UTC')}
    AND ({slo_id:String} = '' OR slo_id = {slo_id:String})
ORDER BY at DESC, minute DESC, slo_id, grp
LIMIT {limit:UInt32}
