-- Whether a one-time link was used.
SELECT alert_id FROM acknowledgements
WHERE token_digest != '' AND token_digest = {token_digest:String}
LIMIT 1
