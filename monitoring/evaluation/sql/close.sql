-- What nothing can change any more needs no working state; and figures are not kept for ever. The
-- credit of closed windows is kept for a horizon more: a late receipt after them may not take it.
WITH credits AS (DELETE FROM answer_credit WHERE answered_at < %(until)s - %(horizon)s),
lines AS (DELETE FROM evaluated_lines WHERE last_time < %(until)s),
windows AS (DELETE FROM judged_window WHERE window_end <= %(until)s)
DELETE FROM online_metric WHERE window_start < %(kept_from)s
