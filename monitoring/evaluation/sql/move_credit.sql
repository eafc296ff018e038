-- Gives answers that arrived late what their users did since, in a range of lines that was
-- credited before they were there; where another answer has it, that one loses it. What a
-- closed window has stays there; what its answers showed but have no credit for was never theirs
-- (they may have come too late themselves). Lines that were reprocessed and wait for their turn are credited
-- to nobody yet, and left to it.
WITH person AS (
    SELECT user_id, min(time) AS earliest, max(time) + %(horizon)s AS latest
    FROM arrived
    GROUP BY user_id
),
landed AS MATERIALIZED (
    SELECT watch.user_id, watch.movie_id, watch.time, watch.log_offset,
           1 AS minutes, 0 AS ratings, 0::float8 AS rating
    FROM watch
    JOIN person ON person.user_id = watch.user_id
        AND watch.time >= person.earliest AND watch.time < person.latest
    WHERE watch.log_partition = %(log_partition)s
        AND watch.log_offset >= %(from_offset)s AND watch.log_offset < %(to_offset)s
    UNION ALL
    SELECT rating.user_id, rating.movie_id, rating.time, rating.log_offset, 0, 1, rating.rating
    FROM rating
    JOIN person ON person.user_id = rating.user_id
        AND rating.time >= person.earliest AND rating.time < person.latest
    WHERE rating.log_partition = %(log_partition)s
        AND rating.log_offset >= %(from_offset)s AND rating.log_offset < %(to_offset)s
),
event AS MATERIALIZED (
    SELECT *
    FROM landed
    WHERE NOT EXISTS (
        SELECT FROM reprocessed_lines AS waiting
        WHERE waiting.log_partition = %(log_partition)s
            AND waiting.from_offset <= landed.log_offset AND waiting.to_offset > landed.log_offset)
),
pair AS (
    SELECT user_id, movie_id FROM event GROUP BY user_id, movie_id
),
shown AS (
    SELECT answer.user_id, answer.receipt_id, answer.time, item.movie_id,
           min(item.place) AS place, arrived.receipt_id IS NOT NULL AS is_new
    FROM person
    CROSS JOIN LATERAL (
        SELECT receipt_id, time, user_id, movie_ids
        FROM receipt
        WHERE receipt.user_id = person.user_id
            AND receipt.time > person.earliest - %(horizon)s AND receipt.time < person.latest
        OFFSET 0
    ) AS answer
    CROSS JOIN LATERAL unnest(answer.movie_ids) WITH ORDINALITY AS item (movie_id, place)
    JOIN pair ON pair.user_id = answer.user_id AND pair.movie_id = item.movie_id
    LEFT JOIN arrived ON arrived.receipt_id = answer.receipt_id
    GROUP BY answer.user_id, answer.receipt_id, answer.time, item.movie_id, arrived.receipt_id
),
claim AS (
    SELECT *,
           least(time + %(horizon)s, lead(time) OVER (
               PARTITION BY user_id, movie_id ORDER BY time, receipt_id)) AS until
    FROM shown
),
had AS (
    SELECT shown.*
    FROM shown
    LEFT JOIN answer_credit AS credit ON credit.answered_at = shown.time
        AND credit.receipt_id = shown.receipt_id AND credit.movie_id = shown.movie_id
        AND credit.answered_at < %(closed_until)s
    WHERE NOT is_new
        AND (shown.time >= %(closed_until)s OR credit.minutes > 0 OR credit.ratings > 0)
),
claim_before AS (
    SELECT *,
           least(time + %(horizon)s, lead(time) OVER (
               PARTITION BY user_id, movie_id ORDER BY time, receipt_id)) AS until
    FROM had
),
moved AS (
    SELECT claim.receipt_id, claim.time, claim.place, event.movie_id,
           claim_before.receipt_id AS receipt_before, claim_before.time AS time_before,
           claim_before.place AS place_before,
           sum(minutes) AS minutes, sum(ratings) AS ratings, sum(rating) AS rating_sum
    FROM event
    JOIN claim ON claim.user_id = event.user_id AND claim.movie_id = event.movie_id
        AND event.time >= claim.time AND event.time < claim.until AND claim.is_new
    LEFT JOIN claim_before ON claim_before.user_id = event.user_id
        AND claim_before.movie_id = event.movie_id
        AND event.time >= claim_before.time AND event.time < claim_before.until
    WHERE claim_before.time IS NULL OR claim_before.time >= %(closed_until)s
    GROUP BY 1, 2, 3, 4, 5, 6, 7
),
changed AS (
    SELECT time AS answered_at, receipt_id, movie_id, place, minutes, ratings, rating_sum
    FROM moved
    UNION ALL
    SELECT time_before, receipt_before, movie_id, place_before, -minutes, -ratings, -rating_sum
    FROM moved
    WHERE receipt_before IS NOT NULL
),
added AS (
    INSERT INTO answer_credit AS known
        (answered_at, receipt_id, movie_id, place, minutes, ratings, rating_sum)
    SELECT answered_at, receipt_id, movie_id, place,
           sum(minutes), sum(ratings), sum(rating_sum)
    FROM changed
    GROUP BY answered_at, receipt_id, movie_id, place
    ON CONFLICT (answered_at, receipt_id, movie_id) DO UPDATE
    SET minutes = known.minutes + excluded.minutes,
        ratings = known.ratings + excluded.ratings,
        rating_sum = known.rating_sum + excluded.rating_sum
    RETURNING answered_at
)
INSERT INTO touched SELECT DISTINCT answered_at FROM added WHERE answered_at < %(judged_until)s
