-- Every view is there now.
ALTER TABLE otlp_logs DROP COLUMN closed
