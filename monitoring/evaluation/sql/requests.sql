-- What callers saw of their requests in one window: failures and times, by the model version that
-- answered. A request belongs to the receipt of its user that is nearest in time and holds the
-- same list; a failed one to the nearest. Without one (nobody answered, or Nginx with its own
-- list) its version is 'none'.
WITH asked AS MATERIALIZED (
    SELECT log_partition, log_offset, time, user_id, status, movie_ids, response_ms
    FROM recommendation_request
    WHERE time >= %(start)s AND time < %(end)s
),
answer AS MATERIALIZED (
    SELECT receipt_id, time, user_id, movie_ids, model_version, arm
    FROM receipt
    WHERE time >= %(start)s - %(slack)s - interval '1 minute' AND time < %(end)s + %(slack)s
),
matched AS (
    SELECT DISTINCT ON (asked.log_partition, asked.log_offset)
           coalesce(answer.model_version, 'none') AS model_version,
           coalesce(answer.arm, 'control') AS arm,
           asked.user_id, asked.status, asked.response_ms
    FROM asked
    LEFT JOIN answer ON answer.user_id = asked.user_id
        AND answer.time <= asked.time + %(slack)s
        AND answer.time >= asked.time - %(slack)s
            - least(asked.response_ms * interval '1 ms', interval '1 minute')
        AND (asked.status <> 200 OR answer.movie_ids = asked.movie_ids)
    ORDER BY asked.log_partition, asked.log_offset,
             abs(extract(epoch FROM answer.time - asked.time)), answer.receipt_id
),
version AS (
    SELECT model_version, arm, count(*) AS requests,
           array_agg(response_ms ORDER BY response_ms) AS times
    FROM matched
    GROUP BY model_version, arm
),
person AS (
    SELECT model_version, arm, user_id, count(*)::float8 AS x,
           count(*) FILTER (WHERE status <> 200)::float8 AS y
    FROM matched
    GROUP BY model_version, arm, user_id
),
failed AS (
    SELECT model_version, arm, count(*) AS people, sum(y) AS y, sum(x) AS x,
           sum(y * y) AS yy, sum(x * x) AS xx, sum(x * y) AS xy
    FROM person
    GROUP BY model_version, arm
)
SELECT failed.*, times
FROM failed
JOIN version USING (model_version, arm)
ORDER BY model_version, arm
