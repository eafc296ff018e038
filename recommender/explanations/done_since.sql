-- What a user rated (NaN: only watched) from where a model's data end until a time, in the
-- order in which a slot came to know it: the last rating, or else the first watched minute.
SELECT movie_id, rating
FROM (
    SELECT DISTINCT ON (movie_id) movie_id, rating, time
    FROM (
        SELECT DISTINCT
            log_partition,
            coalesce((%(trained_on)s::jsonb ->> log_partition::text)::bigint, 0) AS start
        FROM stream_offset
    ) AS span
    CROSS JOIN LATERAL (
        SELECT movie_id, rating, time
        FROM rating
        WHERE
            user_id = %(user_id)s AND time < %(time)s
            AND rating.log_partition = span.log_partition AND log_offset >= span.start
        UNION ALL
        SELECT movie_id, 'NaN'::real, min(time)
        FROM watch
        WHERE
            user_id = %(user_id)s AND time < %(time)s
            AND watch.log_partition = span.log_partition AND log_offset >= span.start
        GROUP BY movie_id
    ) AS done
    ORDER BY movie_id, rating = 'NaN', time DESC
) AS known
ORDER BY time
