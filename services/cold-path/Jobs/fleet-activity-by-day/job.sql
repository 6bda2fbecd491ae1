SELECT
  date AS day,
  count(DISTINCT device_id) AS devices,
  count(*) AS messages,
  CAST(sum(octet_length(body)) AS BIGINT) AS bytes
FROM telemetry
WHERE enqueued_at >= $from AND enqueued_at < $to
GROUP BY day
ORDER BY day
