-- How far back the newest spans reach up to a limit, by the minute rollup: so much of the spans table a check reads.
SELECT
    countIf(so_far <= {limit:UInt64}) AS minutes,
    minIf(t, so_far <= {limit:UInt64}) AS reach,
    max(so_far) AS all_spans,
    max(spans) AS busiest_minute
FROM
(
    SELECT t, spans, sum(spans) OVER (ORDER BY t DESC) AS so_far
    FROM
    (
        SELECT t, sum(requests) AS spans
        FROM red_1m
        WHERE t >= {start:DateTime('UTC')} AND t < {end:DateTime('UTC')}
        GROUP BY t
    )
)
