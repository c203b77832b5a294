-- What people wrote about an incident, under the alert that opened it.
CREATE TABLE incident_notes
(
    incident_id String,
    at DateTime64(3, 'UTC'),
    author String,
    text String CODEC(ZSTD(3))
)
ENGINE = MergeTree
ORDER BY (incident_id, at)
TTL toDate(at) + INTERVAL 400 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
