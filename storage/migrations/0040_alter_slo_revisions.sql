-- A thousand objectives at once are one insert: revisions are appended in batches, as transitions are, and the token of
-- a batch is its number.
ALTER TABLE slo_revisions ADD COLUMN batch UInt64 DEFAULT 0 FIRST
