-- SLIs that are kept counted: their past has been counted, or its backfill goes on.
SELECT series FROM sli_series FINAL WHERE counted_from > toDateTime(0, 'UTC')
