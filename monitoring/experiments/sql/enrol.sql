-- Who asked for the first time in an experiment, in a range of lines of one partition: their arm
-- is that of their bucket at that time, whoever answered. Partitions are read one after the other,
-- so an earlier request may be found later.
INSERT INTO experiment_person AS known
    (experiment_id, user_id, stratum, arm, entered_at, closes_at, state, movies_before)
SELECT experiment.experiment_id, first.user_id, stratum.stratum,
       CASE WHEN bucket_of(first.user_id) = ANY (stratum.buckets) THEN 'challenger'
            ELSE 'control' END,
       first.time, first.time + experiment.horizon, 'open', before.movies
FROM experiment
CROSS JOIN LATERAL (
    SELECT user_id, min(time) AS time
    FROM recommendation_request
    WHERE log_partition = %(log_partition)s
        AND log_offset >= %(from_offset)s AND log_offset < %(to_offset)s
        AND time >= experiment.started_at
        AND time >= coalesce((SELECT closed_until FROM evaluation_progress), '-infinity')
        AND time < coalesce(experiment.ended_at, 'infinity')
    GROUP BY user_id
) AS first
CROSS JOIN LATERAL (
    SELECT share.stratum, share.buckets
    FROM experiment_stratum AS share
    WHERE share.experiment_id = experiment.experiment_id AND share.begun_at <= first.time
    ORDER BY share.stratum DESC
    LIMIT 1
) AS stratum
CROSS JOIN LATERAL (
    SELECT count(DISTINCT viewing.movie_id) AS movies
    FROM generate_series(date_trunc('day', experiment.started_at, 'UTC') - interval '7 days',
                         experiment.started_at, interval '1 day') AS day
    JOIN viewing USING (day)
    WHERE viewing.user_id = first.user_id AND viewing.first_watched < experiment.started_at
) AS before
WHERE experiment.experiment_id = %(experiment_id)s
ON CONFLICT (experiment_id, user_id) DO UPDATE
SET stratum = excluded.stratum, arm = excluded.arm,
    entered_at = excluded.entered_at, closes_at = excluded.closes_at
WHERE excluded.entered_at < known.entered_at AND known.state = 'open'
