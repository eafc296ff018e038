-- Who watched or rated which movie in a range of lines, and when first and last.
INSERT INTO acted
SELECT user_id, movie_id, min(first_time), max(last_time)
FROM (
    SELECT user_id, movie_id, min(time) AS first_time, max(time) AS last_time
    FROM watch
    WHERE log_partition = %(log_partition)s
        AND log_offset >= %(from_offset)s AND log_offset < %(to_offset)s
    GROUP BY user_id, movie_id
    UNION ALL
    SELECT user_id, movie_id, time, time
    FROM rating
    WHERE log_partition = %(log_partition)s
        AND log_offset >= %(from_offset)s AND log_offset < %(to_offset)s
) AS event
GROUP BY user_id, movie_id
