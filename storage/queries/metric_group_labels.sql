-- The labels of the group that a series is in: a column of another query.
, if({by_series:Bool}, [toString(series_id)], arrayMap(
    key -> multiIf(key = 'service', toString(service), key = 'environment', toString(environment),
        origin_id = 0, '__other__', toValidUTF8(otlp_text(attributes[key]))),
    {group_by:Array(String)})) AS labels
