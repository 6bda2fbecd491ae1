-- Rows of machines that run, and that were seen to stop later; the step itself is over by then.
WITH steps AS (
  SELECT device_id, unix_micros(step_start) AS micros, rpm_min, vibration_mean, vibration_max, temperature_mean, temperature_change,
    min(CASE WHEN rpm_min = 0 THEN unix_micros(step_start) END) OVER (
      PARTITION BY device_id ORDER BY step_start ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS stops
  FROM job_machine_features
  WHERE step_start >= $from AND step_start < $to
)
SELECT device_id, vibration_mean, vibration_max, temperature_mean, temperature_change,
  (stops - micros) / 1000000.0 - 2 AS remaining_seconds
FROM steps
WHERE rpm_min > 0 AND stops IS NOT NULL
