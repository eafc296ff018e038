-- Experiments whose people may still be counted once more: something that comes late may be theirs.
SELECT experiment_id
FROM experiment
WHERE ended_at IS NULL
    OR ended_at > coalesce((SELECT closed_until FROM evaluation_progress), '-infinity')
ORDER BY experiment_id
