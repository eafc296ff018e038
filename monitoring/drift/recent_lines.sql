-- What people did in the newest lines of each partition, beside what the live version was trained
-- on; no row where nothing is live. Somebody, or a movie, is new to a version when they were first
-- met after its training.
WITH live AS MATERIALIZED (
    SELECT version, created_at, movies, manifest #> '{data,report}' AS report
    FROM model_version
    WHERE version = (SELECT live_version FROM live_at(now()))
),
event AS MATERIALIZED (
    SELECT newest.user_id, newest.movie_id, newest.rating
    FROM stream_offset AS landed
    -- OFFSET keeps the planner from reading a whole day where it should look up the end of it
    CROSS JOIN LATERAL (
        SELECT user_id, movie_id, NULL::real AS rating
        FROM watch
        WHERE watch.log_partition = landed.log_partition
            AND watch.log_offset >= landed.next_offset - %(lines)s AND watch.time >= %(since)s
        UNION ALL
        SELECT user_id, movie_id, rating
        FROM rating
        WHERE rating.log_partition = landed.log_partition
            AND rating.log_offset >= landed.next_offset - %(lines)s AND rating.time >= %(since)s
        OFFSET 0
    ) AS newest
),
pair AS MATERIALIZED (
    SELECT user_id, movie_id, bool_or(rating IS NOT NULL) AS rated
    FROM event
    GROUP BY user_id, movie_id
),
ratings AS (
    SELECT coalesce(jsonb_object_agg(value, given), '{}') AS given
    FROM (SELECT rating::text AS value, count(*) AS given
          FROM event WHERE rating IS NOT NULL GROUP BY rating) AS each
),
person AS (
    SELECT count(*) AS people,
           count(*) FILTER (WHERE coalesce(app_user.first_seen > live.created_at, true)) AS new
    FROM (SELECT DISTINCT user_id FROM pair) AS active
    CROSS JOIN live
    LEFT JOIN app_user USING (user_id)
),
chosen AS (
    SELECT movie_id, count(*) AS times, row_number() OVER (ORDER BY count(*) DESC) AS place
    FROM pair
    GROUP BY movie_id
),
movie_share AS (
    SELECT coalesce(sum(times), 0)::bigint AS pairs,
           coalesce(sum(times) FILTER (WHERE coalesce(movie.first_seen > live.created_at, true)), 0)
               ::bigint AS new,
           coalesce(sum(times) FILTER (WHERE place <= ceil(live.movies / 100.0)), 0)::bigint AS top
    FROM chosen
    CROSS JOIN live
    LEFT JOIN movie USING (movie_id)
)
SELECT live.version AS model_version, coalesce(live.report, '{}') AS trained, ratings.given AS ratings,
       movie_share.pairs, (SELECT count(*) FROM pair WHERE rated) AS rated_pairs,
       movie_share.new AS pairs_with_new_movies, movie_share.top AS pairs_with_top_movies,
       person.people, person.new AS new_people
FROM live
CROSS JOIN ratings
CROSS JOIN person
CROSS JOIN movie_share
