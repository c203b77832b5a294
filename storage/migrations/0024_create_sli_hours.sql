-- Hourly sums of SLI minutes, so that a window of 30 days reads 720 rows a series and the minutes of its edges.
-- minutes and first: how many minutes of the hour hold events, and the first of them (NULL: none does).
-- The hour comes first: every tick reads and writes the latest hours of all series. The projection answers when a
-- series began without reading all of its hours.
CREATE TABLE sli_hours
(
    series UInt64,
    grp String,
    hour DateTime('UTC') CODEC(Delta, ZSTD(1)),
    good UInt64 CODEC(T64, ZSTD(1)),
    bad UInt64 CODEC(T64, ZSTD(1)),
    seen UInt64 CODEC(T64, ZSTD(1)),
    minutes UInt8,
    first Nullable(DateTime('UTC')) CODEC(ZSTD(1)),
    revision UInt64 CODEC(Delta, ZSTD(1)),
    PROJECTION firsts (SELECT series, min(first) GROUP BY series)
)
ENGINE = ReplacingMergeTree(revision)
PARTITION BY toYYYYMM(hour)
ORDER BY (hour, series, grp)
TTL toDate(hour) + INTERVAL 400 DAY
SETTINGS ttl_only_drop_parts = 1, deduplicate_merge_projection_mode = 'rebuild'
