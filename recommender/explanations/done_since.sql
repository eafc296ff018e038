-- What a user rated (NaN: only watched) from where a model's data end until a time, in the
-- order of a slot's recent activity: by the last rating, or else the first watched minute; at the
-- same time, by where the line stands.
SELECT movie_id, rating
FROM (
    SELECT DISTINCT ON (movie_id) movie_id, rating, time, log_partition, log_offset
    FROM (
        SELECT DISTINCT
            log_partition AS of_partition,
            coalesce((%(trained_on)s::jsonb ->> log_partition::text)::bigint, 0) AS start
        FROM stream_offset
    ) AS span
    CROSS JOIN LATERAL (
        SELECT movie_id, rating, time, log_partition, log_offset, false AS only_watched
        FROM rating
        WHERE
            user_id = %(user_id)s AND time < %(time)s
            AND log_partition = of_partition AND log_offset >= start
        UNION ALL
        SELECT movie_id, 'NaN'::real, min(time), log_partition, min(log_offset), true
        FROM watch
        WHERE
            user_id = %(user_id)s AND time < %(time)s
            AND log_partition = of_partition AND log_offset >= start
        GROUP BY movie_id, log_partition
    ) AS done
    ORDER BY
        movie_id,
        only_watched,
        CASE WHEN only_watched THEN time END,
        time DESC,
        log_partition DESC,
        log_offset DESC
) AS known
ORDER BY time, log_partition, log_offset
