-- Acknowledgements since a time, of some alerts or, without any id, of all.
SELECT alert_id, at, author, comment, via, token_digest FROM acknowledgements
WHERE at >= {since:DateTime64(3, 'UTC')} AND (empty({ids:Array(String)}) OR has({ids:Array(String)}, alert_id))
ORDER BY at, alert_id
