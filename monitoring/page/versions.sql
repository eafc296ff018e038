-- The newest model versions: from what, by what, how good, and what the gate said.
SELECT version, algorithm, created_at, git_commit, data_hash, interactions, users, movies,
       verdict, reason,
       (ndcg ->> 'value')::float8 AS ndcg,
       (ndcg ->> 'low')::float8 AS ndcg_low,
       (ndcg ->> 'high')::float8 AS ndcg_high
FROM model_version
-- figures stood side by side before they were nested by algorithm
CROSS JOIN LATERAL (
    SELECT coalesce(
        figures #> ARRAY['algorithms', algorithm, 'ndcg20'], figures -> ('ndcg20_' || algorithm)
    )
) AS own (ndcg)
ORDER BY created_at DESC
LIMIT %(most)s
