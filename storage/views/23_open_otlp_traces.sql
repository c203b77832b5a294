-- Every view is there now.
ALTER TABLE otlp_traces DROP COLUMN closed
