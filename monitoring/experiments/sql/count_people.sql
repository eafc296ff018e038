-- People whose time is over count once. Those whose bucket was given to the other arm meanwhile,
-- or whose experiment ended, had no whole time in their arm: they are cut.
WITH leaving AS MATERIALIZED (
    SELECT person.user_id, person.entered_at, person.closes_at,
           person.closes_at > coalesce(experiment.ended_at, 'infinity') OR EXISTS (
               SELECT FROM experiment_stratum AS later
               WHERE later.experiment_id = person.experiment_id
                   AND later.begun_at > person.entered_at AND later.begun_at < person.closes_at
                   AND (bucket_of(person.user_id) = ANY (later.buckets))
                       <> (person.arm = 'challenger')
           ) AS is_cut
    FROM experiment_person AS person
    JOIN experiment USING (experiment_id)
    WHERE person.experiment_id = %(experiment_id)s AND person.state = 'open'
        AND (person.closes_at <= %(progress)s OR person.closes_at > experiment.ended_at)
),
movies AS (
    DELETE FROM experiment_movie AS movie
    USING leaving
    WHERE movie.experiment_id = %(experiment_id)s AND movie.user_id = leaving.user_id
    RETURNING movie.user_id, movie.movie_id, movie.minutes, movie.watched_at,
              movie.watched_at >= movie.shown_at AS is_watched
),
watched AS (
    SELECT user_id, count(*) AS movies, sum(minutes) AS minutes
    FROM movies
    WHERE is_watched
    GROUP BY user_id
),
-- of interleaved lists: whose a watched movie is, by the last list before that showed it
taken AS (
    SELECT movies.user_id, count(*) FILTER (WHERE origin = 'A') AS of_control,
           count(*) FILTER (WHERE origin = 'B') AS of_challenger
    FROM movies
    JOIN experiment ON experiment.experiment_id = %(experiment_id)s
        AND experiment.kind = 'interleaving'
    CROSS JOIN LATERAL (
        SELECT substr(origins, array_position(movie_ids, movies.movie_id), 1) AS origin
        FROM receipt
        WHERE receipt.user_id = movies.user_id
            AND receipt.time >= experiment.started_at AND receipt.time <= movies.watched_at
            AND receipt.model_version = experiment.control
            AND receipt.interleaved_with = experiment.challenger
            AND movies.movie_id = ANY (receipt.movie_ids)
        ORDER BY receipt.time DESC
        LIMIT 1
    ) AS answer
    WHERE movies.is_watched
    GROUP BY movies.user_id
),
answered AS (
    SELECT leaving.user_id, count(*) AS receipts,
           count(*) FILTER (WHERE receipt.reason IN ('model', 'fold_in')) AS personalised
    FROM leaving
    JOIN receipt ON receipt.user_id = leaving.user_id
        AND receipt.time >= leaving.entered_at AND receipt.time < leaving.closes_at
    WHERE receipt.time >= (SELECT min(entered_at) FROM leaving)
        AND receipt.time < (SELECT max(closes_at) FROM leaving)
    GROUP BY leaving.user_id
)
UPDATE experiment_person AS person
SET state = CASE WHEN leaving.is_cut THEN 'cut' ELSE 'counted' END,
    watched = coalesce(watched.movies, 0), minutes = coalesce(watched.minutes, 0),
    receipts = coalesce(answered.receipts, 0), personalised = coalesce(answered.personalised, 0),
    took_control = coalesce(taken.of_control, 0),
    took_challenger = coalesce(taken.of_challenger, 0)
FROM leaving
LEFT JOIN watched USING (user_id)
LEFT JOIN taken USING (user_id)
LEFT JOIN answered USING (user_id)
WHERE person.experiment_id = %(experiment_id)s AND person.user_id = leaving.user_id
