-- Adds the watched minutes of one range of offsets to the viewings of their days.
INSERT INTO viewing
    (day, user_id, movie_id, minutes, furthest_minute, first_watched, last_watched)
SELECT date_trunc('day', time, 'UTC') AS day, user_id, movie_id,
       count(*), max(minute), min(time), max(time)
FROM watch
WHERE log_partition = %(log_partition)s
  AND log_offset >= %(from_offset)s AND log_offset < %(to_offset)s
GROUP BY 1, 2, 3
ON CONFLICT (day, user_id, movie_id) DO UPDATE SET
    minutes = viewing.minutes + excluded.minutes,
    furthest_minute = greatest(viewing.furthest_minute, excluded.furthest_minute),
    first_watched = least(viewing.first_watched, excluded.first_watched),
    last_watched = greatest(viewing.last_watched, excluded.last_watched)
