-- Counted minutes of SLIs, with at most `most` groups a series: those that were counted lately keep their place, then the
-- ones with most events. What the others counted is one group more, whose every label is `other`.
SELECT
    series, c.1 AS minute, if(place <= {most:UInt32}, own, arrayMap(label -> {other:String}, own)) AS labels,
    sum(c.2) AS good, sum(c.3) AS total, sum(c.4) AS seen, sum(c.5) AS doubtful, min(c.6) AS bound
FROM
(
    SELECT series, own, counts, row_number() OVER (PARTITION BY series ORDER BY known DESC, events DESC, own) AS place
    FROM
    (
        SELECT
            series, labels AS own, groupArray((minute, good, total, seen, doubtful, bound)) AS counts, sum(total) AS events,
            (series, own) IN
            (
                SELECT series, arrayMap(pair -> pair.2, JSONExtractKeysAndValues(grp, 'String'))
                FROM sli_minutes
                WHERE series IN {grouped:Array(UInt64)} AND grp != '' AND minute >= now('UTC') - {lately_s:UInt32}
                    AND good + bad > 0
            ) AS known
        FROM (/*counted*/)
        GROUP BY series, labels
    )
)
ARRAY JOIN counts AS c
GROUP BY series, minute, labels
