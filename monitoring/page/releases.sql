-- The steps of the last releases and rollbacks, those of one job together, oldest step first.
WITH run AS (
    SELECT deployment.*,
           sum((step = 'start')::int) OVER (ORDER BY step_id) AS run_number
    FROM deployment
)
SELECT action, version,
       min(at) AS started_at,
       max(at) AS ended_at,
       (array_agg(step ORDER BY step_id DESC))[1] AS last_step,
       (array_agg(reason ORDER BY step_id DESC))[1] AS reason,
       array_agg(step ORDER BY step_id) AS steps,
       array_agg(at ORDER BY step_id) AS times,
       array_agg(slot ORDER BY step_id) AS slots,
       array_agg(share ORDER BY step_id) AS shares,
       array_agg(reason ORDER BY step_id) AS reasons
FROM run
GROUP BY run_number, action, version
ORDER BY min(step_id) DESC
LIMIT %(most)s
