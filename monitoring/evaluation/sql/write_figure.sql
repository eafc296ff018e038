-- One figure of a judged window.
INSERT INTO online_metric
    (window_start, window_end, model_version, arm, reason, segment, metric,
     value, low, high, variance, samples, people)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
