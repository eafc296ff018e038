-- What people whose time is not over watched in a range of lines.
INSERT INTO experiment_movie AS known (experiment_id, user_id, movie_id, watched_at, minutes)
SELECT %(experiment_id)s, watch.user_id, watch.movie_id, max(watch.time), count(*)
FROM watch
JOIN experiment_person AS person
    ON person.experiment_id = %(experiment_id)s AND person.user_id = watch.user_id
    AND person.state = 'open'
    AND watch.time >= person.entered_at AND watch.time < person.closes_at
WHERE watch.log_partition = %(log_partition)s
    AND watch.log_offset >= %(from_offset)s AND watch.log_offset < %(to_offset)s
GROUP BY watch.user_id, watch.movie_id
ON CONFLICT (experiment_id, user_id, movie_id) DO UPDATE
SET watched_at = greatest(known.watched_at, excluded.watched_at),
    minutes = known.minutes + excluded.minutes
