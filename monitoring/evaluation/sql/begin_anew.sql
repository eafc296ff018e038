-- Other windows, or another horizon: what has figures keeps them, and everything after it is
-- taken up once more by the new terms.
WITH again AS (
    DELETE FROM evaluated_lines
    WHERE last_time >= (SELECT judged_until FROM evaluation_progress)
    RETURNING log_partition, from_offset
),
first AS (
    SELECT log_partition, min(from_offset) AS from_offset FROM again GROUP BY log_partition
),
offsets AS (
    UPDATE evaluation_offset SET next_offset = first.from_offset
    FROM first
    WHERE first.log_partition = evaluation_offset.log_partition
),
credits AS (
    DELETE FROM answer_credit
    WHERE answered_at >= (SELECT judged_until FROM evaluation_progress)
),
windows AS (DELETE FROM judged_window)
UPDATE evaluation_progress
SET judged_from = judged_until, width_since = judged_until, closed_until = judged_until,
    window_width = %(width)s, horizon = %(horizon)s
