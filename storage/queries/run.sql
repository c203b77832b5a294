-- The body of one run.
SELECT body FROM runs FINAL WHERE id = {id:String}
