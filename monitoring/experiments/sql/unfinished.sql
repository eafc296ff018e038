-- Experiments that run, or whose lines are not all reckoned with, or whose people not all counted.
SELECT experiment_id
FROM experiment
WHERE ended_at IS NULL
    OR ended_at > coalesce((SELECT min(taken_until) FROM experiment_offset AS done
                            WHERE done.experiment_id = experiment.experiment_id), '-infinity')
    OR EXISTS (SELECT FROM experiment_person AS person
               WHERE person.experiment_id = experiment.experiment_id AND person.state = 'open')
    OR EXISTS (SELECT FROM experiment_person AS person
               WHERE person.experiment_id = experiment.experiment_id AND person.stale)
ORDER BY experiment_id
