-- Where judging begins: at the lease of an evaluation before this one, else at the oldest
-- receipt, else now; always at a bound between windows.
INSERT INTO evaluation_progress
    (judged_from, width_since, judged_until, closed_until, window_width, horizon)
SELECT begun, begun, begun, begun, %(width)s, %(horizon)s
FROM (
    SELECT date_bin(%(width)s, coalesce(
        (SELECT held_from FROM retention_lease WHERE owner = 'evaluation'),
        (SELECT min(time) FROM receipt),
        %(now)s), %(epoch)s) AS begun
) AS first
ON CONFLICT (only_row) DO NOTHING
