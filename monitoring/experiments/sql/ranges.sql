-- Which lines of each partition are new to an experiment. Watched minutes are taken up to the
-- first that is past what has landed of all partitions: the request before it may be missing.
WITH known AS (
    INSERT INTO experiment_offset (experiment_id, log_partition, request_offset, watch_offset,
                                   taken_until)
    SELECT %(experiment_id)s, landed.log_partition, first.log_offset, first.log_offset,
           %(progress)s
    FROM stream_offset AS landed
    CROSS JOIN LATERAL (
        SELECT coalesce(min(line.log_offset), landed.next_offset) AS log_offset
        FROM (SELECT log_partition, log_offset, time FROM recommendation_request
              UNION ALL
              SELECT log_partition, log_offset, time FROM watch) AS line
        WHERE line.log_partition = landed.log_partition
            AND line.time >= (SELECT started_at FROM experiment
                              WHERE experiment_id = %(experiment_id)s)
    ) AS first
    ON CONFLICT DO NOTHING
    RETURNING log_partition, request_offset, watch_offset
),
done AS (
    SELECT log_partition, request_offset, watch_offset FROM experiment_offset
    WHERE experiment_id = %(experiment_id)s
    UNION
    SELECT log_partition, request_offset, watch_offset FROM known
)
SELECT done.log_partition, request_offset AS requests_from, landed.next_offset AS requests_to,
       watch_offset AS watches_from, coalesce(early.log_offset, landed.next_offset) AS watches_to
FROM done
JOIN stream_offset AS landed USING (log_partition)
CROSS JOIN LATERAL (
    SELECT min(watch.log_offset) AS log_offset
    FROM watch
    WHERE watch.log_partition = done.log_partition AND watch.log_offset >= watch_offset
        AND watch.log_offset < landed.next_offset
        AND watch.time >= %(progress)s AND watch.time <= %(now)s
) AS early
ORDER BY done.log_partition
