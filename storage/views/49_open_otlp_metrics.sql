-- Every view is there now.
ALTER TABLE otlp_metrics DROP COLUMN closed
