-- What origins say of themselves: resource and scope.
SELECT
    lower(hex(origin_id)) AS origin,
    mapApply((k, v) -> (toValidUTF8(k), hex(v)), attributes) AS attributes_hex,
    dropped_attributes, schema_url, scope_name, scope_version,
    mapApply((k, v) -> (toValidUTF8(k), hex(v)), scope_attributes) AS scope_attributes_hex,
    scope_dropped_attributes, scope_schema_url
FROM origins
WHERE origin_id IN (SELECT reinterpretAsUInt64(reverse(unhex(arrayJoin({ids:Array(String)})))))
ORDER BY last_seen DESC
LIMIT 1 BY origin_id
