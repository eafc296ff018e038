-- How far each partition of the stream has landed: the median time of its last lines.
-- They are found by offset, which has an index and, unlike time, cannot be damaged.
SELECT landed.updated_at AS landed_at,
       (SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY event.time)
        FROM (SELECT time FROM watch
              WHERE watch.log_partition = landed.log_partition
                  AND watch.log_offset >= landed.next_offset - %(last_lines)s
              UNION ALL
              SELECT time FROM rating
              WHERE rating.log_partition = landed.log_partition
                  AND rating.log_offset >= landed.next_offset - %(last_lines)s
              UNION ALL
              SELECT time FROM recommendation_request AS request
              WHERE request.log_partition = landed.log_partition
                  AND request.log_offset >= landed.next_offset - %(last_lines)s) AS event
       ) AS event_time
FROM stream_offset AS landed
