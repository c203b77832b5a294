-- How many spans there are since a moment: the index tells, but for the blocks at the edge.
SELECT count() AS spans FROM spans WHERE toStartOfFiveMinutes(ts) >= toStartOfFiveMinutes({since:DateTime('UTC')})
