-- The number of the last batch of a log.
SELECT max(batch) AS batch FROM /*log*/
