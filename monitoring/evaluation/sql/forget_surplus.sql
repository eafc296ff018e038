-- Keeps no more of a person's first movies than are asked for.
DELETE FROM person_movie
USING (
    SELECT user_id, movie_id,
           row_number() OVER (PARTITION BY user_id ORDER BY first_time, movie_id) AS place
    FROM person_movie
    WHERE user_id IN (SELECT user_id FROM newly_met)
) AS ordered
WHERE ordered.user_id = person_movie.user_id AND ordered.movie_id = person_movie.movie_id
    AND place > %(heavy)s
