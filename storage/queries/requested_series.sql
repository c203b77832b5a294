-- SLIs whose past somebody asked to be counted anew, and is not yet; those that were left have no objective here.
SELECT series FROM sli_series FINAL WHERE counted_from = toDateTime(0, 'UTC') AND slo_id != ''
