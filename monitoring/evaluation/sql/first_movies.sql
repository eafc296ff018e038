-- Remembers of each person the first movies they watched or rated, as many as make them a
-- heavy user: how many of these lie before an answer says how well they were known then.
WITH met AS (
    INSERT INTO person_movie AS known (user_id, movie_id, first_time)
    SELECT user_id, movie_id, first_time
    FROM acted
    WHERE %(heavy)s > (
        SELECT count(*) FROM person_movie AS earlier
        WHERE earlier.user_id = acted.user_id AND earlier.movie_id <> acted.movie_id
            AND earlier.first_time <= acted.first_time)
    ON CONFLICT (user_id, movie_id) DO UPDATE
    SET first_time = excluded.first_time
    WHERE excluded.first_time < known.first_time
    RETURNING user_id, first_time
)
INSERT INTO newly_met SELECT user_id, min(first_time) FROM met GROUP BY user_id
