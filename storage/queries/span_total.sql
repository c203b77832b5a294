-- Stored spans, from the parts' own counts.
SELECT sum(rows) AS spans FROM system.parts
WHERE active AND database = currentDatabase() AND table = 'spans'
