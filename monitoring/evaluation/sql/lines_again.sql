-- The ranges of lines, joined where they meet or overlap, that hold what may have followed the receipts
-- that arrived just now.
WITH overlapping AS (
    SELECT log_partition, from_offset, to_offset
    FROM evaluated_lines
    WHERE EXISTS (
        SELECT FROM arrived
        WHERE arrived.time <= evaluated_lines.last_time
            AND arrived.time + %(horizon)s > evaluated_lines.first_time)
),
numbered AS (
    SELECT *, count(*) FILTER (WHERE reached IS NULL OR from_offset > reached) OVER (
        PARTITION BY log_partition ORDER BY from_offset) AS island
    FROM (
        SELECT *, max(to_offset) OVER (
            PARTITION BY log_partition ORDER BY from_offset
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS reached
        FROM overlapping
    ) AS followed
)
SELECT log_partition, min(from_offset) AS from_offset, max(to_offset) AS to_offset
FROM numbered
GROUP BY log_partition, island
ORDER BY 1, 2
