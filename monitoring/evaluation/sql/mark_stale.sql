-- Windows that have figures, or were passed over as empty, and must be judged once more.
INSERT INTO judged_window AS known (window_start, window_end, stale)
SELECT DISTINCT greatest(date_bin(%(window_width)s, time, %(epoch)s), %(width_since)s),
       date_bin(%(window_width)s, time, %(epoch)s) + %(window_width)s, true
FROM touched
ON CONFLICT (window_start) DO UPDATE SET stale = true WHERE NOT known.stale
