-- For each reason how many lines were rejected, and the newest of them.
SELECT reason, lines, landed_at, log_partition, log_offset, raw
FROM (
    SELECT reason, landed_at, log_partition, log_offset, raw,
           count(*) OVER (PARTITION BY reason) AS lines,
           row_number() OVER (PARTITION BY reason ORDER BY landed_at DESC, log_offset DESC) AS place
    FROM reject
) AS refused
WHERE place <= %(samples)s
ORDER BY lines DESC, reason, place
