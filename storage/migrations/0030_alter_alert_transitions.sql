-- Alerts of rules that are no objective's burn rate have names of their own. Transitions are appended in batches: the
-- token of a batch is its number, so that of two evaluators that decided on the same past one is let through.
ALTER TABLE alert_transitions
    ADD COLUMN rule String DEFAULT slo_id AFTER slo_id,
    ADD COLUMN batch UInt64 DEFAULT 0 FIRST
