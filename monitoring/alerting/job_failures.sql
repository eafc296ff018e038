-- How often each job, and each step of Jenkins's pipelines, has failed since it last ended well. Jobs
-- that ended well are forgotten after a week, so older failures do not count: what came after them
-- is not known.
WITH succeeded AS (
    SELECT task_name, max(id) AS id
    FROM procrastinate_jobs
    WHERE status = 'succeeded'
    GROUP BY task_name
)
SELECT job.task_name AS task,
       job.queue_name AS queue,
       count(*) FILTER (
           WHERE job.status = 'failed'
               AND job.id > coalesce(succeeded.id, 0)
               AND EXISTS (SELECT
                           FROM procrastinate_events AS event
                           WHERE event.job_id = job.id
                               AND event.type = 'failed'
                               AND event.at > now() - interval '7 days')
       ) AS failures
FROM procrastinate_jobs AS job
LEFT JOIN succeeded USING (task_name)
GROUP BY job.task_name, job.queue_name
UNION ALL
SELECT step, 'jenkins', CASE WHEN ended_at > now() - interval '7 days' THEN failures ELSE 0 END
FROM pipeline_step
ORDER BY task
