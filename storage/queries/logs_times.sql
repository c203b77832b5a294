-- When the newest log records were that match: where a page ends, without reading the records themselves.
SELECT toUnixTimestamp64Nano(ts) AS at_ns
FROM logs
WHERE /*which*/
ORDER BY toStartOfFiveMinutes(ts) DESC, ts DESC
LIMIT {rows:UInt64}
