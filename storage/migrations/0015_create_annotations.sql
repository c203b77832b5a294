-- Things that happened, drawn over charts.
CREATE TABLE annotations
(
    id String,
    kind LowCardinality(String),
    title String,
    started_at DateTime64(3, 'UTC'),
    ended_at Nullable(DateTime64(3, 'UTC')),
    services Array(String),
    url String,
    updated_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(updated_at)
ORDER BY id
