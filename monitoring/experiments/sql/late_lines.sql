-- To whom a range of lines comes late: who is counted already, or whose lines were passed before these
-- landed. They are counted once more. Of what evaluation has closed, rows may be gone: it counts that
-- as too late.
UPDATE experiment_person AS person
SET stale = true
FROM (
    SELECT line.user_id, line.time, line.log_offset < done.request_offset AS is_passed
    FROM recommendation_request AS line
    JOIN experiment_offset AS done ON done.experiment_id = %(experiment_id)s
        AND done.log_partition = line.log_partition
    WHERE line.log_partition = %(log_partition)s
        AND line.log_offset >= %(from_offset)s AND line.log_offset < %(to_offset)s
    UNION ALL
    SELECT line.user_id, line.time, line.log_offset < done.watch_offset
    FROM watch AS line
    JOIN experiment_offset AS done ON done.experiment_id = %(experiment_id)s
        AND done.log_partition = line.log_partition
    WHERE line.log_partition = %(log_partition)s
        AND line.log_offset >= %(from_offset)s AND line.log_offset < %(to_offset)s
) AS late
WHERE person.experiment_id = %(experiment_id)s AND person.user_id = late.user_id
    AND late.time >= person.entered_at AND late.time < person.closes_at
    AND late.time >= coalesce((SELECT closed_until FROM evaluation_progress), '-infinity')
    AND (person.state = 'counted' OR person.state = 'open' AND late.is_passed)
    AND NOT person.stale
