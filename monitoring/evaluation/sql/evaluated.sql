-- Notes that a range of lines is reckoned with, and from when to when what it holds happened.
WITH range AS (
    SELECT min(first_time) AS first_time, max(last_time) AS last_time FROM acted
),
noted AS (
    INSERT INTO evaluated_lines (log_partition, from_offset, to_offset, first_time, last_time)
    SELECT %(log_partition)s, %(from_offset)s, %(to_offset)s, first_time, last_time
    FROM range
    WHERE last_time >= %(closed_until)s
)
UPDATE evaluation_offset SET next_offset = %(to_offset)s
WHERE log_partition = %(log_partition)s
