-- What followed the answers of one window, for each model version and arm.
-- The bounds on watch.time and rating.time beside the join let PostgreSQL leave out
-- every partition that cannot matter. A movie recommended in several answers counts for
-- each of them: what made its user watch it cannot be told.
WITH answer AS MATERIALIZED (
    SELECT receipt_id, time, user_id, movie_ids, model_version, arm
    FROM receipt
    WHERE time >= %(start)s AND time < %(end)s
),
watched AS (
    SELECT answer.receipt_id, count(*) AS minutes
    FROM answer
    JOIN watch ON watch.user_id = answer.user_id
        AND watch.movie_id = ANY (answer.movie_ids)
        AND watch.time >= answer.time
        AND watch.time < answer.time + %(horizon)s
    WHERE watch.time >= %(start)s AND watch.time < %(horizon_end)s
    GROUP BY answer.receipt_id
),
rated AS (
    SELECT answer.receipt_id, count(*) AS ratings, sum(rating.rating) AS rating_sum
    FROM answer
    JOIN rating ON rating.user_id = answer.user_id
        AND rating.movie_id = ANY (answer.movie_ids)
        AND rating.time >= answer.time
        AND rating.time < answer.time + %(horizon)s
    WHERE rating.time >= %(start)s AND rating.time < %(horizon_end)s
    GROUP BY answer.receipt_id
)
SELECT answer.model_version,
       answer.arm,
       count(*) AS answers,
       count(watched.receipt_id) AS hits,
       coalesce(sum(watched.minutes), 0)::bigint AS minutes,
       coalesce(sum(rated.ratings), 0)::bigint AS ratings,
       coalesce(sum(rated.rating_sum), 0)::float8 AS rating_sum
FROM answer
LEFT JOIN watched USING (receipt_id)
LEFT JOIN rated USING (receipt_id)
GROUP BY answer.model_version, answer.arm
ORDER BY answer.model_version, answer.arm
