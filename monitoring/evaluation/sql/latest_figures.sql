-- The newest figures of each model version and arm that was judged lately.
SELECT DISTINCT ON (model_version, arm, reason, segment, metric)
       model_version, arm, reason, segment, metric, value, low, high, variance, samples, people
FROM online_metric
WHERE window_start >= (SELECT max(window_start) FROM online_metric) - interval '1 day'
ORDER BY model_version, arm, reason, segment, metric, window_start DESC
