-- Bytes on disk of the daily tables by day, oldest first.
SELECT partition AS day, sum(bytes_on_disk) AS bytes
FROM system.parts
WHERE active AND database = currentDatabase() AND table IN
(
    'spans', 'trace_index', 'metric_points', 'metric_histograms', 'metric_exponential_histograms', 'metric_summaries',
    'exemplars', 'logs'
)
GROUP BY day
ORDER BY day
