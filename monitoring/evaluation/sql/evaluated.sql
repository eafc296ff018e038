-- Notes that a range of lines is reckoned with, and from when to when what it holds happened. Lines
-- that landed behind others lie within a range, or begin where one does.
WITH range AS (
    SELECT min(first_time) AS first_time, max(last_time) AS last_time FROM acted
),
noted AS (
    INSERT INTO evaluated_lines AS known
        (log_partition, from_offset, to_offset, first_time, last_time)
    SELECT %(log_partition)s, %(from_offset)s, %(to_offset)s, first_time, last_time
    FROM range
    WHERE last_time >= %(closed_until)s
    ON CONFLICT (log_partition, from_offset) DO UPDATE
    SET to_offset = greatest(known.to_offset, excluded.to_offset),
        first_time = least(known.first_time, excluded.first_time),
        last_time = greatest(known.last_time, excluded.last_time)
)
UPDATE evaluation_offset SET next_offset = greatest(next_offset, %(to_offset)s)
WHERE log_partition = %(log_partition)s
