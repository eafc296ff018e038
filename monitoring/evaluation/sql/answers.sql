-- Sums over people of what followed the answers of one window, for each model version and arm:
-- of all answers, of those with each reason, and of those to each segment of people. A person's
-- answers hang together, so a person is one row, and the squares of their sums are summed.
WITH answer AS MATERIALIZED (
    SELECT receipt_id, user_id, model_version, arm, reason, cardinality(movie_ids) AS length,
           (SELECT count(*) FROM person_movie
            WHERE person_movie.user_id = receipt.user_id
                AND person_movie.first_time < receipt.time) AS movies_known
    FROM receipt
    WHERE time >= %(start)s AND time < %(end)s
),
ideal AS (
    SELECT watched, sum(1 / (ln(watched + 1) / ln(2))) OVER (ORDER BY watched) AS gain
    FROM generate_series(1, 100) AS watched
),
credit AS (
    SELECT receipt_id, sum(minutes) AS minutes,
           count(*) FILTER (WHERE minutes > 0) AS watched,
           sum(1 / (ln(place + 1) / ln(2))) FILTER (WHERE minutes > 0) AS gain,
           sum(ratings) AS ratings, sum(rating_sum) AS rating_sum
    FROM answer_credit
    WHERE answered_at >= %(start)s AND answered_at < %(end)s
    GROUP BY receipt_id
),
judged AS (
    SELECT answer.user_id, answer.model_version, answer.arm, answer.reason,
           CASE WHEN movies_known = 0 THEN 'new'
                WHEN movies_known < %(heavy)s THEN 'light'
                ELSE 'heavy' END AS segment,
           (coalesce(credit.watched, 0) > 0)::int AS hit,
           coalesce(credit.minutes, 0) AS minutes,
           coalesce(credit.gain / ideal.gain, 0) AS ndcg,
           coalesce(credit.ratings, 0) AS ratings,
           coalesce(credit.rating_sum, 0) AS rating_sum,
           (answer.reason IN ('model', 'fold_in'))::int AS personalised,
           (answer.length = 0)::int AS empty
    FROM answer
    LEFT JOIN credit USING (receipt_id)
    LEFT JOIN ideal ON ideal.watched = credit.watched
),
person AS (
    SELECT model_version, arm, reason, segment, user_id,
           count(*)::float8 AS answers, sum(hit)::float8 AS hits, sum(minutes)::float8 AS minutes,
           sum(ndcg)::float8 AS ndcg, sum(ratings)::float8 AS ratings,
           sum(rating_sum)::float8 AS rating_sum, sum(personalised)::float8 AS personalised,
           sum(empty)::float8 AS empty
    FROM judged
    GROUP BY GROUPING SETS (
        (model_version, arm, user_id),
        (model_version, arm, reason, user_id),
        (model_version, arm, segment, user_id))
)
SELECT model_version, arm, coalesce(reason, 'all') AS reason, coalesce(segment, 'all') AS segment,
       metric, count(*) AS people, sum(y) AS y, sum(x) AS x,
       sum(y * y) AS yy, sum(x * x) AS xx, sum(x * y) AS xy
FROM person
CROSS JOIN LATERAL (VALUES
    ('hit_rate', hits, answers),
    ('minutes_per_answer', minutes, answers),
    ('ndcg', ndcg, answers),
    ('rating_mean', rating_sum, ratings),
    ('personalised_share', personalised, answers),
    ('empty_share', empty, answers)
) AS measure (metric, y, x)
WHERE x > 0
GROUP BY model_version, arm, reason, segment, metric
ORDER BY model_version, arm, reason, segment, metric
