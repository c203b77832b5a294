-- How many events were seen themselves (a sampled span stands for several), and what was counted.
ALTER TABLE sli_minutes
    ADD COLUMN seen UInt64 DEFAULT good + bad CODEC(T64, ZSTD(1)) AFTER bad,
    ADD COLUMN source Enum8('spans' = 0, 'rollup' = 1, 'metrics' = 2) AFTER seen
