-- The next lines that landed and are not reckoned with, of one partition.
WITH known AS (
    INSERT INTO evaluation_offset (log_partition, next_offset)
    SELECT log_partition, first_offset FROM stream_offset
    ON CONFLICT DO NOTHING
    RETURNING log_partition, next_offset
)
SELECT done.log_partition, done.next_offset AS from_offset,
       least(landed.next_offset, done.next_offset + %(longest)s) AS to_offset
FROM (SELECT * FROM evaluation_offset UNION SELECT * FROM known) AS done
JOIN stream_offset AS landed USING (log_partition)
WHERE done.next_offset < landed.next_offset
ORDER BY done.log_partition
LIMIT 1
