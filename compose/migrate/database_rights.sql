-- Who may connect, and make tables for one session only: a copy of a database has none of these.
DO $$
BEGIN
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO service, analyst, scheduler', current_database());
    -- lines that arrive and answers that are judged are laid beside tables by way of such
    EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO ingest, evaluation', current_database());
END
$$;
