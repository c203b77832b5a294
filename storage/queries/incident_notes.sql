-- Notes since a time, on some incidents or, without any id, on all.
SELECT incident_id, at, author, text FROM incident_notes
WHERE at >= {since:DateTime64(3, 'UTC')} AND (empty({ids:Array(String)}) OR has({ids:Array(String)}, incident_id))
ORDER BY at, incident_id, author, text
