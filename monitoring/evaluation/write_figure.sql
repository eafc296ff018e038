-- One figure of a judged window; judging a window again replaces it.
INSERT INTO online_metric
    (window_start, window_end, model_version, arm, metric, value, samples)
VALUES (%s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (window_start, model_version, arm, metric) DO UPDATE
SET window_end = excluded.window_end,
    value = excluded.value,
    samples = excluded.samples,
    computed_at = now()
