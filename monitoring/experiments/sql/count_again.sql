-- Those to whom something came late are open once more, with all that they did by now: read again
-- from the rows of their time, which evaluation's lease keeps.
WITH again AS MATERIALIZED (
    SELECT user_id, entered_at, closes_at
    FROM experiment_person
    WHERE experiment_id = %(experiment_id)s AND stale AND closes_at <= %(progress)s
),
request AS MATERIALIZED (
    SELECT request.user_id, request.time, request.status, request.movie_ids, request.response_ms
    FROM again
    JOIN recommendation_request AS request ON request.user_id = again.user_id
        AND request.time >= again.entered_at AND request.time < again.closes_at
    WHERE request.time >= (SELECT min(entered_at) FROM again)
        AND request.time < (SELECT max(closes_at) FROM again)
),
asked AS (
    SELECT user_id, count(*) AS requests, count(*) FILTER (WHERE status <> 200) AS failed,
           count(*) FILTER (WHERE status = 200 AND movie_ids = '{}') AS empty,
           sum(response_ms) AS response_ms
    FROM request
    GROUP BY user_id
),
shown AS (
    SELECT user_id, movie_id, min(time) AS shown_at
    FROM request
    CROSS JOIN LATERAL unnest(movie_ids) AS movie_id
    GROUP BY user_id, movie_id
),
watched AS (
    SELECT watch.user_id, watch.movie_id, max(watch.time) AS watched_at,
           count(*) FILTER (WHERE watch.time >= shown.shown_at) AS minutes
    FROM again
    JOIN watch ON watch.user_id = again.user_id
        AND watch.time >= again.entered_at AND watch.time < again.closes_at
    LEFT JOIN shown ON shown.user_id = watch.user_id AND shown.movie_id = watch.movie_id
    WHERE watch.time >= (SELECT min(entered_at) FROM again)
        AND watch.time < (SELECT max(closes_at) FROM again)
    GROUP BY watch.user_id, watch.movie_id
),
reopened AS (
    UPDATE experiment_person AS person
    SET state = 'open', stale = false, requests = asked.requests, failed = asked.failed,
        empty = asked.empty, response_ms = asked.response_ms
    FROM asked
    WHERE person.experiment_id = %(experiment_id)s AND person.user_id = asked.user_id
)
INSERT INTO experiment_movie (experiment_id, user_id, movie_id, shown_at, watched_at, minutes)
SELECT %(experiment_id)s, user_id, movie_id, shown_at, watched_at, coalesce(minutes, 0)
FROM shown
FULL JOIN watched USING (user_id, movie_id)
ON CONFLICT (experiment_id, user_id, movie_id) DO UPDATE
SET shown_at = excluded.shown_at, watched_at = excluded.watched_at, minutes = excluded.minutes
