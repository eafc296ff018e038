-- What a step keeps in between, for this session alone.
CREATE TEMPORARY TABLE IF NOT EXISTS acted (
    user_id bigint, movie_id text, first_time timestamptz, last_time timestamptz
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS arrived (
    receipt_id uuid PRIMARY KEY, time timestamptz, user_id bigint
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS newly_met (
    user_id bigint, first_time timestamptz
) ON COMMIT DELETE ROWS;
-- times whose windows have figures already, which are to be computed again
CREATE TEMPORARY TABLE IF NOT EXISTS touched (time timestamptz) ON COMMIT DELETE ROWS
