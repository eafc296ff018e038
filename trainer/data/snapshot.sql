-- One row for each user and movie that met; a movie is its place in a given list. Of several
-- ratings the latest counts (at the same time, the one later in the stream); a viewing counts
-- from a number of minutes on, and where there is a rating too, that says when and what.
WITH known AS (  -- grouped, so that the planner knows that each is there once
    SELECT movie_id, min(place)::int AS movie
    FROM unnest(%(movies)s::text[]) WITH ORDINALITY AS listed (movie_id, place)
    GROUP BY movie_id
),
latest AS (
    SELECT DISTINCT ON (user_id, movie) user_id, movie, rating, time
    FROM rating JOIN known USING (movie_id)
    ORDER BY user_id, movie, time DESC, log_partition DESC, log_offset DESC
),
watched AS (
    SELECT user_id, movie, max(last_watched) AS time
    FROM viewing JOIN known USING (movie_id)
    GROUP BY user_id, movie
    HAVING sum(minutes) >= %(watched_minutes)s
)
SELECT
    user_id,
    movie,
    coalesce(latest.rating, 'NaN'),
    coalesce(latest.time, watched.time)
FROM latest FULL JOIN watched USING (user_id, movie)
