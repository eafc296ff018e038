-- What people whose time is not over watched in a range of lines. All requests before these lines
-- are taken up already, so it is known which minutes followed a list with the movie: only they count.
INSERT INTO experiment_movie AS known (experiment_id, user_id, movie_id, watched_at, minutes)
SELECT %(experiment_id)s, watch.user_id, watch.movie_id, max(watch.time),
       count(*) FILTER (WHERE watch.time >= recommended.shown_at)
FROM watch
JOIN experiment_person AS person
    ON person.experiment_id = %(experiment_id)s AND person.user_id = watch.user_id
    AND person.state = 'open'
    AND watch.time >= person.entered_at AND watch.time < person.closes_at
LEFT JOIN experiment_movie AS recommended
    ON recommended.experiment_id = %(experiment_id)s AND recommended.user_id = watch.user_id
    AND recommended.movie_id = watch.movie_id
WHERE watch.log_partition = %(log_partition)s
    AND watch.log_offset >= %(from_offset)s AND watch.log_offset < %(to_offset)s
GROUP BY watch.user_id, watch.movie_id
ON CONFLICT (experiment_id, user_id, movie_id) DO UPDATE
SET watched_at = greatest(known.watched_at, excluded.watched_at),
    minutes = known.minutes + excluded.minutes
