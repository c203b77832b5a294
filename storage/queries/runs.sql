-- Runs of experiments without their bodies, newest first, before a place in this order: those that began before `until` and
-- were not over before `since`. A run without an end lasts as long as its runner reports.
SELECT id, experiment, title, status, verdict, started_at, ended_at, heartbeat_at, environment, services, method,
    comparison, source, windows, summary, chaos_share
FROM runs FINAL
WHERE ({experiment:String} = '' OR experiment = {experiment:String})
    AND ({environment:String} = '' OR environment = {environment:String})
    AND started_at < {until:DateTime64(3, 'UTC')}
    AND ifNull(ended_at, heartbeat_at) >= {since:DateTime64(3, 'UTC')}
    AND ({first_page:Bool} OR (started_at, id) < (fromUnixTimestamp64Milli({before_ms:Int64}, 'UTC'), {before_id:String}))
ORDER BY started_at DESC, id DESC
LIMIT {limit:UInt32}
SETTINGS max_execution_time = 20
