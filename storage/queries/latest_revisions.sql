-- The last revision of each objective: its number and what it says.
SELECT slo_id, max(revision) AS number, argMax(digest, revision) AS digest FROM slo_revisions GROUP BY slo_id
