-- One row for each device, hour and column that has values there.
WITH readings AS (
  SELECT device_id, date_trunc('hour', event_at) AS hour_start, {{columns}}
  FROM telemetry
  WHERE event_at >= $from AND event_at < $to
),
numbers AS (
  SELECT device_id, hour_start, CAST(COLUMNS(* EXCLUDE (device_id, hour_start)) AS DOUBLE)
  FROM readings
)
SELECT
  device_id,
  hour_start,
  measure,
  count(value) AS count,
  min(value) AS min,
  max(value) AS max,
  avg(value) AS mean,
  quantile_cont(value, 0.5) AS p50,
  quantile_cont(value, 0.95) AS p95,
  quantile_cont(value, 0.99) AS p99
FROM numbers UNPIVOT (value FOR measure IN ({{columns}}))
GROUP BY device_id, hour_start, measure
ORDER BY device_id, hour_start, measure
