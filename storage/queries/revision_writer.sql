-- Who wrote a revision of an objective.
SELECT writer FROM slo_revisions WHERE slo_id = {slo_id:String} AND revision = {revision:UInt32} LIMIT 1
