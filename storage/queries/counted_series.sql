-- Which of these SLIs have had their past counted.
SELECT series FROM sli_series WHERE series IN {series:Array(UInt64)} GROUP BY series
