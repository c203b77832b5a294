-- Revisions of some objectives (none named: of all), oldest first.
SELECT slo_id, revision, at, author, commit, definition FROM slo_revisions
WHERE empty({slo_ids:Array(String)}) OR slo_id IN {slo_ids:Array(String)}
ORDER BY slo_id, revision
