-- Runs of experiments, newest first.
SELECT body FROM runs FINAL
WHERE {id:String} = '' OR id = {id:String}
ORDER BY started_at DESC
LIMIT 200
