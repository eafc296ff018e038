-- People of experiments who were counted before receipts of their time arrived: once more, with them.
UPDATE experiment_person AS person
SET stale = true
FROM arrived
JOIN experiment ON arrived.time >= experiment.started_at - %(slack)s
    AND arrived.time < coalesce(experiment.ended_at, 'infinity')
WHERE person.experiment_id = experiment.experiment_id AND person.user_id = arrived.user_id
    AND arrived.time >= person.entered_at - %(slack)s AND arrived.time < person.closes_at
    AND person.state = 'counted' AND NOT person.stale
