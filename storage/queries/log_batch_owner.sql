-- Who stored a batch of a log.
SELECT DISTINCT writer FROM /*log*/ WHERE batch = {batch:UInt64}
