-- The newest model versions, and the live one: from what, by what, how good, and what the gate said.
SELECT version, algorithm, created_at, git_commit, data_hash, interactions, users, movies,
       verdict, reason,
       (ndcg ->> 'value')::float8 AS ndcg,
       (ndcg ->> 'low')::float8 AS ndcg_low,
       (ndcg ->> 'high')::float8 AS ndcg_high,
       coalesce(tried.judged, '{}') AS judged,
       coalesce(tried.lows, '{}') AS lows,
       coalesce(tried.highs, '{}') AS highs,
       ARRAY(SELECT jsonb_object_keys(figures)) AS figure_groups
FROM model_version
-- figures stood side by side before they were nested by algorithm
CROSS JOIN LATERAL (
    SELECT coalesce(
        figures #> ARRAY['algorithms', algorithm, 'ndcg20'], figures -> ('ndcg20_' || algorithm)
    )
) AS own (ndcg)
LEFT JOIN LATERAL (
    SELECT array_agg(name ORDER BY value) AS judged,
           array_agg(low ORDER BY value) AS lows,
           array_agg(high ORDER BY value) AS highs
    FROM jsonb_each(figures -> 'algorithms') AS figure (name, figure)
    CROSS JOIN LATERAL jsonb_to_record(figure -> 'ndcg20') AS ndcg20 (value float8, low float8, high float8)
    WHERE low IS NOT NULL AND high IS NOT NULL
) AS tried ON true
WHERE version = %(live)s
   OR version IN (SELECT version FROM model_version ORDER BY created_at DESC LIMIT %(most)s)
ORDER BY created_at DESC
