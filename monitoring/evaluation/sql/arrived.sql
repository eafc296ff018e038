-- Receipts that were stored since the snapshot of the last step, of answers after which something
-- was credited already; and how many came after the window of their answer had closed.
WITH new AS (
    SELECT receipt_id, time, user_id
    FROM receipt
    WHERE stored_in >= pg_snapshot_xmin(%(receipts_seen)s::pg_snapshot)::text::bigint
        AND NOT pg_visible_in_snapshot(stored_in::text::xid8, %(receipts_seen)s::pg_snapshot)
        AND time < greatest(%(judged_until)s,
                            (SELECT max(last_time) FROM evaluated_lines))
),
kept AS (
    INSERT INTO arrived
    SELECT receipt_id, time, user_id FROM new WHERE time >= %(closed_until)s
    RETURNING time
),
late AS (
    INSERT INTO touched
    SELECT DISTINCT time + shift
    FROM kept
    CROSS JOIN (VALUES (-%(slack)s::interval), (interval '0'), (%(slack)s)) AS around (shift)
    WHERE time + shift < %(judged_until)s AND time + shift >= %(closed_until)s
)
SELECT count(*) FILTER (WHERE time >= %(closed_until)s) AS kept,
       count(*) FILTER (WHERE time < %(closed_until)s AND time >= %(judged_from)s) AS too_late
FROM new
