-- How many spans of these services there may be since a moment: blocks of the index, whose rows are not read.
SELECT count() AS spans
FROM spans
WHERE toStartOfFiveMinutes(ts) >= toStartOfFiveMinutes({since:DateTime('UTC')}) AND service IN {services:Array(String)}
