-- Which windows that have figures already are changed by the lines of a range: those of
-- requests that came late, and of answers to people of whom more was known than we thought.
-- How many requests came after their window had closed.
WITH request AS MATERIALIZED (
    SELECT time
    FROM recommendation_request
    WHERE log_partition = %(log_partition)s
        AND log_offset >= %(from_offset)s AND log_offset < %(to_offset)s
        AND time < %(judged_until)s AND time >= %(judged_from)s
),
late AS (
    INSERT INTO touched
    SELECT DISTINCT time FROM request WHERE time >= %(closed_until)s
    UNION ALL
    SELECT DISTINCT receipt.time
    FROM newly_met
    JOIN receipt ON receipt.user_id = newly_met.user_id AND receipt.time > newly_met.first_time
    WHERE newly_met.first_time < %(judged_until)s
        AND receipt.time < %(judged_until)s AND receipt.time >= %(closed_until)s
)
SELECT count(*) AS requests FROM request WHERE time < %(closed_until)s
