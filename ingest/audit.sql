-- Each term is counted by itself, from its own table. All are counted in one snapshot.
WITH watches AS (
    SELECT log_partition, count(*) AS rows, sum(log_offset) AS offsets
    FROM watch GROUP BY log_partition
), ratings AS (
    SELECT log_partition, count(*) AS rows, sum(log_offset) AS offsets
    FROM rating GROUP BY log_partition
), requests AS (
    SELECT log_partition, count(*) AS rows, sum(log_offset) AS offsets
    FROM recommendation_request GROUP BY log_partition
), accounts AS (
    SELECT log_partition, count(*) AS rows, sum(log_offset) AS offsets
    FROM account GROUP BY log_partition
), rejects AS (
    SELECT log_partition, count(*) AS rows, sum(log_offset) AS offsets
    FROM reject GROUP BY log_partition
), dropped AS (
    SELECT log_partition, sum(row_count)::bigint AS rows, sum(offset_sum) AS offsets
    FROM dropped_rows GROUP BY log_partition
), stream AS (
    SELECT log_partition, first_offset, next_offset, next_offset - first_offset AS consumed,
           div((next_offset - first_offset)::numeric * (first_offset + next_offset - 1), 2)
               AS offsets
    FROM stream_offset
), term AS (
    SELECT log_partition,
           coalesce(stream.first_offset, 0) AS first_offset,
           coalesce(stream.next_offset, 0) AS next_offset,
           coalesce(stream.consumed, 0) AS consumed,
           coalesce(watches.rows, 0) AS watches,
           coalesce(ratings.rows, 0) AS ratings,
           coalesce(requests.rows, 0) AS requests,
           coalesce(accounts.rows, 0) AS accounts,
           coalesce(rejects.rows, 0) AS rejects,
           coalesce(dropped.rows, 0) AS dropped,
           coalesce(stream.offsets, 0) - coalesce(watches.offsets, 0)
               - coalesce(ratings.offsets, 0) - coalesce(requests.offsets, 0)
               - coalesce(accounts.offsets, 0) - coalesce(rejects.offsets, 0)
               - coalesce(dropped.offsets, 0) AS offset_error
    FROM stream
    FULL JOIN watches USING (log_partition)
    FULL JOIN ratings USING (log_partition)
    FULL JOIN requests USING (log_partition)
    FULL JOIN accounts USING (log_partition)
    FULL JOIN rejects USING (log_partition)
    FULL JOIN dropped USING (log_partition)
)
INSERT INTO ingest_audit
    (audited_at, log_partition, first_offset, next_offset, consumed, watches, ratings, requests,
     accounts, rejects, dropped, offset_error, balanced)
SELECT %(audited_at)s, log_partition, first_offset, next_offset, consumed, watches, ratings,
       requests, accounts, rejects, dropped, offset_error,
       consumed = watches + ratings + requests + accounts + rejects + dropped AND offset_error = 0
FROM term
RETURNING log_partition, consumed, watches, ratings, requests, accounts, rejects, dropped,
          offset_error, balanced
