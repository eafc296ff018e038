-- Credits what people did in a range of lines to their answers: a watched minute or a rating
-- belongs to the latest answer before it, less than the horizon ago, whose list held the movie.
-- So an answer has a claim on a movie until the user's next answer that shows it.
WITH person AS (
    SELECT user_id, min(first_time) - %(horizon)s AS earliest, max(last_time) AS latest
    FROM acted
    GROUP BY user_id
),
shown AS (
    SELECT answer.user_id, answer.receipt_id, answer.time, item.movie_id,
           min(item.place) AS place
    FROM person
    -- OFFSET keeps the planner from reading all receipts where it should look up a user's few
    CROSS JOIN LATERAL (
        SELECT receipt_id, time, user_id, movie_ids
        FROM receipt
        WHERE receipt.user_id = person.user_id
            AND receipt.time > person.earliest AND receipt.time <= person.latest
        OFFSET 0
    ) AS answer
    CROSS JOIN LATERAL unnest(answer.movie_ids) WITH ORDINALITY AS item (movie_id, place)
    JOIN acted ON acted.user_id = answer.user_id AND acted.movie_id = item.movie_id
    GROUP BY answer.user_id, answer.receipt_id, answer.time, item.movie_id
),
claim AS (
    SELECT *,
           least(time + %(horizon)s, lead(time) OVER (
               PARTITION BY user_id, movie_id ORDER BY time, receipt_id)) AS until
    FROM shown
),
event AS (
    SELECT claim.receipt_id, claim.time, claim.movie_id, claim.place,
           1 AS minutes, 0 AS ratings, 0::float8 AS rating
    FROM watch
    JOIN claim ON claim.user_id = watch.user_id AND claim.movie_id = watch.movie_id
        AND watch.time >= claim.time AND watch.time < claim.until
    WHERE watch.log_partition = %(log_partition)s
        AND watch.log_offset >= %(from_offset)s AND watch.log_offset < %(to_offset)s
    UNION ALL
    SELECT claim.receipt_id, claim.time, claim.movie_id, claim.place, 0, 1, rating.rating
    FROM rating
    JOIN claim ON claim.user_id = rating.user_id AND claim.movie_id = rating.movie_id
        AND rating.time >= claim.time AND rating.time < claim.until
    WHERE rating.log_partition = %(log_partition)s
        AND rating.log_offset >= %(from_offset)s AND rating.log_offset < %(to_offset)s
),
credited AS (
    SELECT time AS answered_at, receipt_id, movie_id, place,
           sum(minutes) AS minutes, sum(ratings) AS ratings, sum(rating) AS rating_sum
    FROM event
    GROUP BY time, receipt_id, movie_id, place
),
added AS (
    INSERT INTO answer_credit AS known
        (answered_at, receipt_id, movie_id, place, minutes, ratings, rating_sum)
    SELECT answered_at, receipt_id, movie_id, place, minutes, ratings, rating_sum
    FROM credited
    WHERE answered_at >= %(closed_until)s
    ON CONFLICT (answered_at, receipt_id, movie_id) DO UPDATE
    SET minutes = known.minutes + excluded.minutes,
        ratings = known.ratings + excluded.ratings,
        rating_sum = known.rating_sum + excluded.rating_sum
    RETURNING answered_at
),
late AS (
    INSERT INTO touched SELECT DISTINCT answered_at FROM added
    WHERE answered_at < %(judged_until)s
)
SELECT coalesce(sum(minutes), 0)::bigint AS watches, coalesce(sum(ratings), 0)::bigint AS ratings
FROM credited
WHERE answered_at < %(closed_until)s AND answered_at >= %(judged_from)s
