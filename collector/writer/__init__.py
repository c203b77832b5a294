"""From the spool into the database: one segment, one insert, and what happens when it fails."""
