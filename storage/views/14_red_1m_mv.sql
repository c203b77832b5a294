-- Rate, errors and duration of each minute and operation of an insert. Of a service that sends too many names or routes
-- only those are told apart that operation_limits lists.
CREATE MATERIALIZED VIEW red_1m_mv TO red_1m AS
SELECT
    t, service, environment, version, kind,
    if(empty(l.names) OR has(l.names, g.name), g.name, '__other__') AS name,
    if(empty(l.routes) OR has(l.routes, g.http_route), g.http_route, '__other__') AS http_route,
    http_class,
    sum(g.requests) AS requests,
    sum(g.errors) AS errors,
    sum(g.duration_sum_ns) AS duration_sum_ns,
    max(g.duration_max_ns) AS duration_max_ns,
    sumMap(map(bucket, g.requests)) AS hist
FROM span_groups AS g
LEFT ANY JOIN (SELECT service, environment, names, routes FROM operation_limits FINAL) AS l USING (service, environment)
GROUP BY t, service, environment, version, kind, name, http_route, http_class
