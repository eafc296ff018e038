-- Adds one range of offsets in a partition to what was counted of it.
INSERT INTO dropped_rows (partition_name, log_partition, row_count, offset_sum, last_offset)
SELECT %(name)s, log_partition, {rows}, {offsets}, {last}
FROM {partition}
WHERE log_partition = %(log_partition)s
  AND log_offset >= %(from_offset)s AND log_offset < %(to_offset)s
GROUP BY log_partition
ON CONFLICT (partition_name, log_partition) DO UPDATE SET
    row_count = dropped_rows.row_count + excluded.row_count,
    offset_sum = dropped_rows.offset_sum + excluded.offset_sum,
    last_offset = greatest(dropped_rows.last_offset, excluded.last_offset)
