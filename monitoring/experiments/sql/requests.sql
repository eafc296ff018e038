-- What people whose time is not over asked for in a range of lines, and what they were shown.
WITH request AS MATERIALIZED (
    SELECT request.user_id, request.time, request.status, request.movie_ids, request.response_ms
    FROM recommendation_request AS request
    JOIN experiment_person AS person
        ON person.experiment_id = %(experiment_id)s AND person.user_id = request.user_id
        AND person.state = 'open'
        AND request.time >= person.entered_at AND request.time < person.closes_at
    WHERE request.log_partition = %(log_partition)s
        AND request.log_offset >= %(from_offset)s AND request.log_offset < %(to_offset)s
),
asked AS (
    SELECT user_id, count(*) AS requests, count(*) FILTER (WHERE status <> 200) AS failed,
           count(*) FILTER (WHERE status = 200 AND movie_ids = '{}') AS empty,
           sum(response_ms) AS response_ms
    FROM request
    GROUP BY user_id
),
counted AS (
    UPDATE experiment_person AS person
    SET requests = person.requests + asked.requests, failed = person.failed + asked.failed,
        empty = person.empty + asked.empty, response_ms = person.response_ms + asked.response_ms
    FROM asked
    WHERE person.experiment_id = %(experiment_id)s AND person.user_id = asked.user_id
)
INSERT INTO experiment_movie AS known (experiment_id, user_id, movie_id, shown_at)
SELECT %(experiment_id)s, user_id, movie_id, min(time)
FROM request
CROSS JOIN LATERAL unnest(movie_ids) AS movie_id
GROUP BY user_id, movie_id
ON CONFLICT (experiment_id, user_id, movie_id) DO UPDATE
SET shown_at = least(known.shown_at, excluded.shown_at)
