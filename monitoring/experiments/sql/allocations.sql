-- How many people came to each arm while the challenger had which share.
SELECT count(*) FILTER (WHERE arm = 'control') AS control,
       count(*) FILTER (WHERE arm = 'challenger') AS challenger,
       share.share / 1000.0::float8 AS share
FROM experiment_person AS person
JOIN experiment_stratum AS share USING (experiment_id, stratum)
WHERE experiment_id = %(experiment_id)s
GROUP BY stratum, share.share
