-- Lines that were refused and landed later, behind what is reckoned with; what lies past that comes
-- with the lines around it.
WITH ahead AS (
    DELETE FROM reprocessed_lines AS late
    WHERE NOT EXISTS (SELECT FROM evaluation_offset AS done
                      WHERE done.log_partition = late.log_partition
                          AND done.next_offset > late.from_offset)
),
taken AS (
    DELETE FROM reprocessed_lines AS late
    USING (SELECT behind.log_partition, behind.from_offset, done.next_offset
           FROM reprocessed_lines AS behind
           JOIN evaluation_offset AS done ON done.log_partition = behind.log_partition
               AND done.next_offset > behind.from_offset
           ORDER BY behind.log_partition, behind.from_offset
           LIMIT 1) AS first
    WHERE late.log_partition = first.log_partition AND late.from_offset = first.from_offset
    RETURNING late.log_partition, late.from_offset,
              least(late.to_offset, first.next_offset) AS to_offset
)
SELECT log_partition, from_offset, to_offset FROM taken
