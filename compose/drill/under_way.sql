-- What waits or is under way that a killed service would undo or harm, as one line; empty if nothing
SELECT string_agg(format('%s since %s UTC', what, to_char(since AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')),
                  ', ' ORDER BY since)
FROM (
    SELECT format('%s (job %s)', replace(task_name, '_', ' '), job.id) AS what,
           (SELECT max(at) FROM procrastinate_events WHERE job_id = job.id) AS since
    FROM procrastinate_jobs AS job
    WHERE queue_name IN ('train', 'release', 'backup') AND status IN ('todo', 'doing')
    UNION ALL
    SELECT format('experiment %s', name), started_at FROM experiment WHERE ended_at IS NULL
) AS work
