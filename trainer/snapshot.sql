-- One row for each user and movie that met. Of several ratings the latest counts (at the
-- same time, the one later in the stream); a viewing counts from a number of minutes on,
-- and where there is a rating too, that says when and what.
SELECT
    user_id,
    movie_id,
    latest.rating,
    (extract(epoch FROM coalesce(latest.time, watched.time)) * 1000000)::bigint AS time
FROM (
    SELECT DISTINCT ON (user_id, movie_id) user_id, movie_id, rating, time
    FROM rating
    ORDER BY user_id, movie_id, time DESC, log_partition DESC, log_offset DESC
) AS latest
FULL JOIN (
    SELECT user_id, movie_id, max(last_watched) AS time
    FROM viewing
    GROUP BY user_id, movie_id
    HAVING sum(minutes) >= %(watched_minutes)s
) AS watched USING (user_id, movie_id)
