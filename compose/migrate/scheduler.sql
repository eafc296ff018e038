-- What Jenkins may do: ask for a training as `make retrain` does and for a release as the releaser's
-- own schedule does, follow it, and tell how a step ended that it asked its helper for. The role
-- can read and write nothing; these functions do so as their owner.

CREATE OR REPLACE FUNCTION ask_for(task text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    -- what the worker itself would ask for: trainer/worker.py, ci/worker.py. A release by schedule
    -- leaves one that is under way alone, where one that a person asks for supersedes it.
    queue text := CASE task WHEN 'train' THEN 'train' WHEN 'release' THEN 'release' END;
    job_task text := CASE task WHEN 'release' THEN 'scheduled_release' ELSE task END;
    arguments jsonb := CASE task WHEN 'release'
                                 THEN jsonb_build_object('timestamp',
                                                         floor(extract(epoch FROM now()))::bigint)
                                 ELSE '{}' END;
    job bigint;
BEGIN
    IF queue IS NULL THEN
        RAISE invalid_parameter_value
            USING MESSAGE = format('there is no job %L to ask for; there are: train, release', task);
    END IF;
    INSERT INTO procrastinate_jobs (queue_name, task_name, lock, queueing_lock, args)
    VALUES (queue, job_task, queue, job_task, arguments)
    ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING
    RETURNING id INTO job;
    IF job IS NULL THEN  -- one waits already: that one is followed
        SELECT max(id) INTO job FROM procrastinate_jobs WHERE queueing_lock = job_task AND status = 'todo';
    END IF;
    RETURN job;
END
$$;

CREATE OR REPLACE FUNCTION asked_job_status(job bigint) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT status::text FROM procrastinate_jobs
    WHERE id = job AND task_name IN ('train', 'scheduled_release')
$$;

CREATE OR REPLACE FUNCTION asked_job_lines(job bigint, after bigint)
RETURNS TABLE (line bigint, said text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT line_id, to_char(job_log.at AT TIME ZONE 'UTC', 'HH24:MI:SS ') || message
    FROM job_log
    WHERE job_id = job AND line_id > after AND asked_job_status(job) IS NOT NULL
    ORDER BY line_id
$$;

-- A row for each, however often it is called.
CREATE OR REPLACE FUNCTION step_ended(name text, well boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    -- what the helper can be asked for: ci/helper/verbs.py
    steps text[] := ARRAY['lint', 'test-unit', 'test-integration', 'certificate', 'images',
                          'release-code', 'drill'];
BEGIN
    IF name <> ALL (steps) OR well IS NULL THEN
        RAISE invalid_parameter_value USING MESSAGE =
            format('there is no step %L; there are: %s', name, array_to_string(steps, ', '));
    END IF;
    INSERT INTO pipeline_step AS known (step, ended_at, failures)
    VALUES (name, now(), (NOT well)::int)
    ON CONFLICT (step) DO UPDATE
    SET ended_at = now(), failures = CASE WHEN well THEN 0 ELSE known.failures + 1 END;
END
$$;

REVOKE ALL ON FUNCTION ask_for(text), asked_job_status(bigint), asked_job_lines(bigint, bigint),
    step_ended(text, boolean)
    FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO scheduler;
GRANT EXECUTE ON FUNCTION ask_for(text), asked_job_status(bigint), asked_job_lines(bigint, bigint),
    step_ended(text, boolean)
    TO scheduler;
