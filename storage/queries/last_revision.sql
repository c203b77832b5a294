-- When SLI minutes were last written and summed by hours, in milliseconds since 1970; 0 when never.
SELECT max(revision) AS revision FROM sli_hours
