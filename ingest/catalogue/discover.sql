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
    UNION
    -- where the catalogue is strict, what it does not know is asked about, and may be taken later
    SELECT substring(convert_from(raw, 'UTF8') FROM 'GET /(?:data/m|rate)/([^/=]+)'), NULL
    FROM reject
    WHERE reason = 'unknown_movie' AND log_partition = %(log_partition)s
      AND log_offset >= %(from_offset)s AND log_offset < %(to_offset)s
), movies AS (
    INSERT INTO movie (movie_id)
    SELECT DISTINCT movie_id FROM met WHERE movie_id IS NOT NULL ON CONFLICT DO NOTHING
)
INSERT INTO app_user (user_id) SELECT DISTINCT user_id FROM met WHERE user_id IS NOT NULL ON CONFLICT DO NOTHING
