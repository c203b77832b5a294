-- SLIs whose past has been counted, and from when on.
CREATE TABLE sli_series
(
    series UInt64,
    slo_id String,
    counted_from DateTime('UTC'),
    backfilled_at DateTime('UTC')
)
ENGINE = ReplacingMergeTree(backfilled_at)
ORDER BY series
