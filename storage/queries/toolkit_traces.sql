-- The newest traces of runs of Chaos Toolkit that began between two times: one span of each carries the title.
SELECT lower(hex(trace_id)) AS trace_id_hex
FROM spans
WHERE toStartOfFiveMinutes(ts) >= toStartOfFiveMinutes({start:DateTime('UTC')})
    AND ts >= {start:DateTime('UTC')} AND ts < {end:DateTime('UTC')}
    AND mapContains(attributes, 'chaostoolkit.experiment.title')
    AND NOT quarantined
GROUP BY trace_id
ORDER BY max(ts) DESC, trace_id
LIMIT {limit:UInt32}
