-- Each term is counted by itself, from its own table. All are counted in one snapshot.
-- An incremental audit looks at the offsets after the last balanced one's; a full one at all.
WITH audited AS MATERIALIZED (
    SELECT log_partition, next_offset,
           greatest(first_offset, (
               SELECT max(ingest_audit.next_offset) FROM ingest_audit
               WHERE %(scope)s = 'incremental' AND balanced
                   AND ingest_audit.log_partition = stream_offset.log_partition
           )) AS since_offset
    FROM stream_offset
), watches AS (
    SELECT log_partition, count(*) AS rows, sum(log_offset) AS offsets
    FROM watch {reach} GROUP BY log_partition
), ratings AS (
    SELECT log_partition, count(*) AS rows, sum(log_offset) AS offsets
    FROM rating {reach} GROUP BY log_partition
), requests AS (
    SELECT log_partition, count(*) AS rows, sum(log_offset) AS offsets
    FROM recommendation_request {reach} GROUP BY log_partition
), accounts AS (
    SELECT log_partition, count(*) AS rows, sum(log_offset) AS offsets
    FROM account {reach} GROUP BY log_partition
), rejects AS (
    SELECT log_partition, count(*) AS rows, sum(log_offset) AS offsets
    FROM reject {reach} GROUP BY log_partition
), duplicates AS (
    SELECT log_partition, count(*) AS rows, sum(log_offset) AS offsets
    FROM duplicate {reach} GROUP BY log_partition
), gaps AS (
    SELECT log_partition, sum(offset_count)::bigint AS rows,
           sum(offset_count::numeric * log_offset
               + div(offset_count::numeric * (offset_count - 1), 2)) AS offsets
    FROM offset_gap {reach} GROUP BY log_partition
), lost AS (
    SELECT log_partition, sum(to_offset - from_offset)::bigint AS rows,
           sum(div((to_offset - from_offset)::numeric * (from_offset + to_offset - 1), 2))
               AS offsets
    FROM (SELECT log_partition, from_offset AS log_offset, from_offset, to_offset
          FROM stream_loss) AS stream_loss {reach} GROUP BY log_partition
), dropped AS (
    SELECT log_partition, sum(row_count)::bigint AS rows, sum(offset_sum) AS offsets
    FROM (SELECT log_partition, last_offset AS log_offset, row_count, offset_sum
          FROM dropped_rows) AS dropped_rows {reach} GROUP BY log_partition
), stream AS (
    SELECT log_partition, since_offset AS first_offset, next_offset,
           next_offset - since_offset AS consumed,
           div((next_offset - since_offset)::numeric * (since_offset + next_offset - 1), 2)
               AS offsets
    FROM audited
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
           coalesce(duplicates.rows, 0) AS duplicates,
           coalesce(gaps.rows, 0) AS gaps,
           coalesce(lost.rows, 0) AS lost,
           coalesce(dropped.rows, 0) AS dropped,
           coalesce(stream.offsets, 0) - coalesce(watches.offsets, 0)
               - coalesce(ratings.offsets, 0) - coalesce(requests.offsets, 0)
               - coalesce(accounts.offsets, 0) - coalesce(rejects.offsets, 0)
               - coalesce(duplicates.offsets, 0) - coalesce(gaps.offsets, 0)
               - coalesce(lost.offsets, 0) - coalesce(dropped.offsets, 0) AS offset_error
    FROM stream
    FULL JOIN watches USING (log_partition)
    FULL JOIN ratings USING (log_partition)
    FULL JOIN requests USING (log_partition)
    FULL JOIN accounts USING (log_partition)
    FULL JOIN rejects USING (log_partition)
    FULL JOIN duplicates USING (log_partition)
    FULL JOIN gaps USING (log_partition)
    FULL JOIN lost USING (log_partition)
    FULL JOIN dropped USING (log_partition)
)
INSERT INTO ingest_audit
    (audited_at, log_partition, scope, first_offset, next_offset, consumed, watches, ratings,
     requests, accounts, rejects, duplicates, gaps, lost, dropped, offset_error, balanced)
SELECT %(audited_at)s, log_partition, %(scope)s, first_offset, next_offset, consumed, watches,
       ratings, requests, accounts, rejects, duplicates, gaps, lost, dropped, offset_error,
       consumed = watches + ratings + requests + accounts + rejects + duplicates + gaps + lost
           + dropped AND offset_error = 0
FROM term
RETURNING log_partition, scope, first_offset, consumed, watches, ratings, requests, accounts,
          rejects, duplicates, gaps, lost, dropped, offset_error, balanced
