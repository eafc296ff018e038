-- What each role may do. Re-run on every start: it states the whole, so a right taken out
-- here is gone after the next start.
REVOKE ALL ON SCHEMA public FROM PUBLIC;
DO $$
DECLARE
    routine regprocedure;
BEGIN
    -- nobody needs large objects, which fill the disk past every budget; and who holds an
    -- advisory lock of a service's stops releases, trainings and drops
    FOR routine IN
        SELECT oid FROM pg_proc
        WHERE pronamespace = 'pg_catalog'::regnamespace
          AND (proname ~ '^(lo_|loread$|lowrite$)' OR proname ~ '^pg_(try_)?advisory_')
    LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', routine);
    END LOOP;
    FOR routine IN
        SELECT oid FROM pg_proc
        WHERE pronamespace = 'pg_catalog'::regnamespace AND proname ~ '^pg_(try_)?advisory_'
    LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO service', routine);
    END LOOP;
END
$$;
REVOKE ALL ON ALL TABLES IN SCHEMA public
    FROM ingest, retention, trainer, recommender, evaluation, releaser, backup, analyst, job_worker,
    scheduler;
GRANT USAGE ON SCHEMA public
    TO ingest, retention, trainer, recommender, evaluation, releaser, backup, analyst;

-- retention makes, empties and drops partitions, so it owns the tables that have them
GRANT CREATE ON SCHEMA public TO retention;
-- (only where it does not yet: changing an owner waits for everybody who reads the table)
DO $$
DECLARE
    relation text;
BEGIN
    FOREACH relation IN ARRAY ARRAY['watch', 'rating', 'recommendation_request', 'account',
                                    'reject', 'duplicate', 'line_key', 'offset_gap', 'viewing',
                                    'receipt']
    LOOP
        IF (SELECT relowner <> 'retention'::regrole FROM pg_class WHERE oid = relation::regclass)
        THEN
            EXECUTE format('ALTER TABLE %I OWNER TO retention', relation);
        END IF;
    END LOOP;
END
$$;
GRANT ALL ON watch, rating, recommendation_request, account, reject, duplicate, offset_gap,
    line_key, viewing, receipt TO retention;
GRANT SELECT ON stream_offset, stream_loss, retention_lease TO retention;
GRANT SELECT, INSERT, DELETE ON retention_plan TO retention;
GRANT SELECT, INSERT, UPDATE ON dropped_partition, dropped_rows, viewing_progress,
    catalogue_progress, ingest_audit, movie, app_user TO retention;
GRANT DELETE ON job_log TO retention;
GRANT INSERT ON reprocessed_lines TO retention;

-- ingest reads back what it wrote only to audit it
GRANT SELECT, INSERT ON watch, rating, recommendation_request, account, reject, duplicate,
    offset_gap, line_key, stream_loss, stream_renewal TO ingest;
GRANT SELECT, INSERT, UPDATE ON stream_offset TO ingest;
GRANT SELECT ON dropped_rows, movie TO ingest;
GRANT SELECT, INSERT ON ingest_audit TO ingest;

GRANT SELECT ON rating, viewing, viewing_progress, movie, app_user, stream_offset, deployment,
    receipt TO trainer;
GRANT SELECT, INSERT ON model_version TO trainer;

-- a slot follows what users do, knows who is like whom, and explains its receipts
GRANT SELECT ON rating, watch, stream_offset, model_version, app_user TO recommender;
GRANT SELECT, INSERT ON receipt TO recommender;
GRANT SELECT, INSERT, UPDATE ON receipt_spool TO recommender;

GRANT INSERT ON backup TO backup;

GRANT SELECT ON ALL TABLES IN SCHEMA public TO evaluation;
GRANT INSERT, UPDATE ON online_metric, retention_lease TO evaluation;
GRANT INSERT, UPDATE, DELETE ON evaluation_progress, evaluation_offset, evaluated_lines,
    answer_credit, judged_window, person_movie, too_late TO evaluation;
GRANT DELETE ON online_metric, reprocessed_lines TO evaluation;

-- ... and tells Nginx what is popular while nothing is live
GRANT SELECT ON model_version, online_metric, receipt, rating, viewing TO releaser;
GRANT SELECT, INSERT ON deployment, gate_measurement, rejected_candidate, code_release TO releaser;

-- the releaser begins and ends experiments, the evaluation counts their people and looks
GRANT SELECT, INSERT, UPDATE ON experiment TO releaser;
GRANT SELECT, INSERT ON experiment_stratum TO releaser;
-- it sees in a slot's own figures what no caller sees, and records that as a look
GRANT SELECT, INSERT ON experiment_look TO releaser;
GRANT SELECT ON experiment_person TO releaser;
GRANT INSERT, UPDATE, DELETE ON experiment_offset, experiment_person, experiment_movie,
    experiment_look TO evaluation;
GRANT DELETE ON retention_lease TO evaluation;

-- the job queue
GRANT USAGE ON SCHEMA public TO job_worker;
GRANT SELECT, INSERT, UPDATE, DELETE ON procrastinate_jobs, procrastinate_events,
    procrastinate_periodic_defers, procrastinate_workers TO job_worker;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO job_worker;
-- A service asks for jobs of its own queue only, and ends no other's. By a trigger: under row
-- security the server hides which key is there twice, and the job queue's library needs it.
CREATE OR REPLACE FUNCTION refuse_other_queues() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    job procrastinate_jobs := CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
    own text := CASE current_user
        WHEN 'retention' THEN 'retain'
        WHEN 'trainer' THEN 'train'
        WHEN 'evaluation' THEN 'evaluate'
        WHEN 'releaser' THEN 'release'
        WHEN 'backup' THEN 'backup'
    END;
BEGIN
    IF job.queue_name <> own OR (TG_OP = 'UPDATE' AND OLD.queue_name <> own) THEN
        RAISE insufficient_privilege
            USING MESSAGE = format('the queue %s is not for %s', job.queue_name, current_user);
    END IF;
    RETURN job;
END
$$;
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgname = 'own_queue') THEN
        CREATE TRIGGER own_queue BEFORE INSERT OR UPDATE OR DELETE ON procrastinate_jobs
            FOR EACH ROW EXECUTE FUNCTION refuse_other_queues();
    END IF;
END
$$;
GRANT SELECT, INSERT ON job_log TO job_worker;

GRANT SELECT ON ALL TABLES IN SCHEMA public TO analyst;
