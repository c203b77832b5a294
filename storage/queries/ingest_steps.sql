-- What all collectors counted in each step: counters less their last value, or all of it in a process's first report.
SELECT
    signal,
    toStartOfInterval(at, toIntervalSecond({step_s:UInt32})) AS step,
    sum(received_items - received_before) AS received,
    sum(stored_items - stored_before) AS stored,
    sum(rejected_items - rejected_before) AS rejected,
    sum(refused_items - refused_before) AS refused,
    sum(refusals - refusals_before) AS refused_requests
FROM
(
    SELECT
        signal, at, received_items, stored_items, rejected_items, refused_items,
        arraySum(mapValues(refused_requests)) AS refusals,
        lagInFrame(received_items) OVER process AS received_before,
        lagInFrame(stored_items) OVER process AS stored_before,
        lagInFrame(rejected_items) OVER process AS rejected_before,
        lagInFrame(refused_items) OVER process AS refused_before,
        lagInFrame(refusals) OVER process AS refusals_before,
        row_number() OVER process AS place,
        started_at
    FROM
    (
        SELECT *
        FROM ingest_stats
        WHERE at >= {start:DateTime('UTC')} - INTERVAL 10 MINUTE AND at < {end:DateTime('UTC')}
            AND toDate(at) >= toDate({start:DateTime('UTC')} - INTERVAL 10 MINUTE)
        LIMIT 1 BY collector, signal, started_at, at
    )
    WINDOW process AS (PARTITION BY collector, signal, started_at ORDER BY at ASC ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
)
WHERE at >= {start:DateTime('UTC')} AND (place > 1 OR started_at >= {start:DateTime('UTC')} - INTERVAL 10 MINUTE)
GROUP BY signal, step
ORDER BY signal, step
