-- Login roles, one for each service, and what they share. Passwords are set by the
-- caller from SCRAM verifiers, so no password ever reaches this file or the server's log.
DO $$
DECLARE
    service text;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'job_worker') THEN
        CREATE ROLE job_worker NOLOGIN;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'service') THEN
        CREATE ROLE service NOLOGIN;
    END IF;
    FOREACH service IN ARRAY ARRAY['ingest', 'retention', 'trainer', 'recommender',
                                   'evaluation', 'releaser', 'exporter', 'backup', 'analyst',
                                   'scheduler']
    LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = service) THEN
            EXECUTE format('CREATE ROLE %I LOGIN', service);
        END IF;
    END LOOP;
END
$$;

GRANT pg_monitor TO exporter;
GRANT service TO ingest, retention, trainer, recommender, evaluation, releaser,
    exporter, backup;
-- however many people look, a service gets in (reserved_connections in postgresql.conf)
GRANT pg_use_reserved_connections TO service;
GRANT job_worker TO retention, trainer, evaluation, releaser, backup;
GRANT pg_read_all_data TO backup;
ALTER ROLE analyst SET default_transaction_read_only = on;
ALTER ROLE analyst SET statement_timeout = '5min';
ALTER ROLE analyst SET idle_in_transaction_session_timeout = '5min';
ALTER ROLE analyst SET temp_file_limit = '2GB';
-- its passwords lie where builds run: it can do nothing but what scheduler.sql gives it
ALTER ROLE scheduler SET statement_timeout = '1min';
ALTER ROLE scheduler SET idle_in_transaction_session_timeout = '1min';
-- it asks for a few rows twice a second: starting parallel workers costs five times the query
ALTER ROLE recommender SET max_parallel_workers_per_gather = 0;
