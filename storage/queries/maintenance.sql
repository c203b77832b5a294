-- Maintenance windows that touch [start, end), or one by its id.
SELECT id, start, end, reason, author, service, environment, slo_id, created_at, ended_early_at FROM maintenance FINAL
WHERE ({id:String} = '' OR id = {id:String}) AND start < {end:DateTime('UTC')} AND end > {start:DateTime('UTC')}
ORDER BY start, id
