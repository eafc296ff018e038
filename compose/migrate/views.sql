-- What a newcomer looks at first in psql. Re-run on every start: it states the whole.
DROP VIEW IF EXISTS arrival, refusal, expiry;

CREATE VIEW arrival AS
SELECT date_trunc('hour', time) AS hour, kind, count(*) AS lines
FROM (
    SELECT time, 'watch' AS kind FROM watch WHERE time >= now() - interval '1 day'
    UNION ALL
    SELECT time, 'rating' FROM rating WHERE time >= now() - interval '1 day'
    UNION ALL
    SELECT time, 'recommendation_request' FROM recommendation_request
    WHERE time >= now() - interval '1 day'
    UNION ALL
    SELECT time, 'account' FROM account WHERE time >= now() - interval '1 day'
    UNION ALL
    SELECT landed_at, 'reject' FROM reject WHERE landed_at >= now() - interval '1 day'
    UNION ALL
    SELECT landed_at, 'duplicate' FROM duplicate WHERE landed_at >= now() - interval '1 day'
) AS line
GROUP BY 1, 2
ORDER BY 1 DESC, 2;
COMMENT ON VIEW arrival IS 'What came in: lines of the last day by hour and table';
COMMENT ON COLUMN arrival.hour IS 'hour of the line''s own time; of landing for what was refused';
COMMENT ON COLUMN arrival.kind IS 'the table where these lines are';
COMMENT ON COLUMN arrival.lines IS 'how many';

CREATE VIEW refusal AS
SELECT reason, count(*) AS lines, min(landed_at) AS first_refused, max(landed_at) AS last_refused,
       (array_agg(encode(substring(raw FOR 120), 'escape') ORDER BY landed_at DESC))[1] AS sample
FROM reject
GROUP BY reason
ORDER BY lines DESC;
COMMENT ON VIEW refusal IS 'What was refused and why; the lines themselves are in reject';
COMMENT ON COLUMN refusal.reason IS 'why, one word from ingest.lines.Reason';
COMMENT ON COLUMN refusal.lines IS 'how many lines that are still kept';
COMMENT ON COLUMN refusal.first_refused IS 'when the oldest of them was refused';
COMMENT ON COLUMN refusal.last_refused IS 'when the newest of them was refused';
COMMENT ON COLUMN refusal.sample IS 'the beginning of the newest; bytes that are no ASCII as \ooo';

CREATE VIEW expiry AS
SELECT relation, partition_name, lower_bound, upper_bound, pg_size_pretty(bytes) AS size,
       expires_at, drops, reason, planned_at
FROM retention_plan
ORDER BY expires_at, relation;
COMMENT ON VIEW expiry IS 'What will be dropped when, and why the rest stays: the last plan of retention, what goes first on top';
COMMENT ON COLUMN expiry.relation IS 'the table';
COMMENT ON COLUMN expiry.partition_name IS 'the partition of it';
COMMENT ON COLUMN expiry.lower_bound IS 'earliest time it can hold';
COMMENT ON COLUMN expiry.upper_bound IS 'first time past what it can hold';
COMMENT ON COLUMN expiry.size IS 'on disk, indexes included';
COMMENT ON COLUMN expiry.expires_at IS 'when it is past its time to live';
COMMENT ON COLUMN expiry.drops IS 'whether the last pass meant to drop it';
COMMENT ON COLUMN expiry.reason IS 'why it goes, or why it stays';
COMMENT ON COLUMN expiry.planned_at IS 'when this was decided';
