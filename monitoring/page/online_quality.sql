-- The share of answers that led to watching, by model version and window, oldest first.
SELECT model_version, window_end, value, samples
FROM online_metric
WHERE metric = 'hit_rate' AND arm = 'control' AND reason = 'all' AND segment = 'all' AND window_start > %(since)s
ORDER BY model_version, window_start
