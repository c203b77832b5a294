-- What lists of runs show stands beside the body and is worked out from it: a body may hold a journal of megabytes.
ALTER TABLE runs
    ADD COLUMN experiment String MATERIALIZED JSONExtractString(body, 'experiment'),
    ADD COLUMN title String MATERIALIZED JSONExtractString(body, 'title'),
    ADD COLUMN status String MATERIALIZED JSONExtractString(body, 'status'),
    ADD COLUMN verdict String MATERIALIZED JSONExtractString(body, 'verdict'),
    ADD COLUMN heartbeat_at DateTime64(6, 'UTC')
        MATERIALIZED ifNull(parseDateTime64BestEffortOrNull(JSONExtractString(body, 'heartbeat_at'), 6, 'UTC'), started_at),
    ADD COLUMN ended_at Nullable(DateTime64(6, 'UTC'))
        MATERIALIZED parseDateTime64BestEffortOrNull(JSONExtractString(body, 'ended_at'), 6, 'UTC'),
    ADD COLUMN environment String MATERIALIZED JSONExtractString(body, 'environment'),
    ADD COLUMN services Array(String) MATERIALIZED JSONExtract(body, 'services', 'Array(String)'),
    ADD COLUMN method String MATERIALIZED JSONExtractRaw(body, 'method'),
    ADD COLUMN comparison String MATERIALIZED JSONExtractString(body, 'comparison'),
    ADD COLUMN source String MATERIALIZED JSONExtractString(body, 'source'),
    ADD COLUMN windows String MATERIALIZED JSONExtractRaw(body, 'windows'),
    ADD COLUMN summary String MATERIALIZED JSONExtractString(body, 'summary'),
    ADD COLUMN chaos_share Nullable(Float64) MATERIALIZED arrayReduce('maxOrNull', arrayMap(
        cost -> cost.1, JSONExtract(body, 'outcome', 'budget', 'Array(Tuple(chaos_share Nullable(Float64)))')))
