-- For each table, from when its rows are kept and when the oldest go.
SELECT relation, min(lower_bound) AS kept_from, min(expires_at) AS next_expiry
FROM retention_plan
WHERE NOT drops
GROUP BY relation
ORDER BY relation
