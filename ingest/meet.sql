-- Adds the movies and the users of one range of offsets that were never met before.
WITH met AS MATERIALIZED (
    SELECT movie_id, user_id FROM watch
    WHERE log_partition = %(log_partition)s
      AND log_offset >= %(from_offset)s AND log_offset < %(to_offset)s
    UNION
    SELECT movie_id, user_id FROM rating
    WHERE log_partition = %(log_partition)s
      AND log_offset >= %(from_offset)s AND log_offset < %(to_offset)s
    UNION
    SELECT NULL, user_id FROM account
    WHERE log_partition = %(log_partition)s
      AND log_offset >= %(from_offset)s AND log_offset < %(to_offset)s
), movies AS (
    INSERT INTO movie (movie_id)
    SELECT DISTINCT movie_id FROM met WHERE movie_id IS NOT NULL ON CONFLICT DO NOTHING
)
INSERT INTO app_user (user_id) SELECT DISTINCT user_id FROM met ON CONFLICT DO NOTHING
