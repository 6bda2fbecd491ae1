SELECT device_id, step_start, vibration_mean, vibration_max, temperature_mean, temperature_change
FROM job_machine_features
WHERE step_start >= $from AND step_start < $to AND rpm_min > 0
