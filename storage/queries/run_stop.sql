-- Who first asked for a run to end.
SELECT run_id, at, author, token, reason FROM run_stops
WHERE run_id = {run_id:String}
ORDER BY at
LIMIT 1
