-- The newest experiment: what it says so far, and the interval at each look, oldest first.
SELECT newest.name, newest.challenger, newest.control, newest.share, newest.people,
       newest.verdict, newest.reason, newest.started_at, newest.ended_at, newest.end_reason,
       coalesce(array_agg(look.looked_at ORDER BY look.looked_at) FILTER (WHERE look.low IS NOT NULL), '{}') AS times,
       coalesce(array_agg(look.low ORDER BY look.looked_at) FILTER (WHERE look.low IS NOT NULL), '{}') AS lows,
       coalesce(array_agg(look.value ORDER BY look.looked_at) FILTER (WHERE look.low IS NOT NULL), '{}') AS lifts,
       coalesce(array_agg(look.high ORDER BY look.looked_at) FILTER (WHERE look.low IS NOT NULL), '{}') AS highs
FROM (SELECT * FROM experiment_verdict ORDER BY experiment_id DESC LIMIT 1) AS newest
LEFT JOIN experiment_look AS look
    ON look.experiment_id = newest.experiment_id AND look.verdict IS NOT NULL
GROUP BY newest.experiment_id, newest.name, newest.challenger, newest.control, newest.share,
         newest.people, newest.verdict, newest.reason, newest.started_at, newest.ended_at,
         newest.end_reason
