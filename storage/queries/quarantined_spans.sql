-- Spans that came since a moment with a time that could not be believed, by service: their time is that of their arrival.
SELECT toString(service) AS service, toString(environment) AS environment, count() AS spans
FROM spans
PREWHERE quarantined
WHERE toStartOfFiveMinutes(ts) >= toStartOfFiveMinutes({since:DateTime('UTC')}) AND ts >= {since:DateTime('UTC')}
GROUP BY service, environment
ORDER BY service, environment
