-- Sums over the people who count, for each stratum, arm and figure: outcome y and, beside it,
-- what it is divided by or what foretold it, x.
SELECT stratum, arm, metric, count(*) AS people, sum(y) AS y, sum(y * y) AS yy,
       sum(x) AS x, sum(x * x) AS xx, sum(x * y) AS xy
FROM experiment_person
CROSS JOIN LATERAL (VALUES
    ('people_watching', (watched > 0)::int::float8, ln(1 + movies_before)::float8),
    ('minutes', minutes::float8, ln(1 + movies_before)::float8),
    ('failed', failed::float8, requests::float8),
    ('seconds', response_ms / 1000.0::float8, requests::float8),
    ('empty', empty::float8, requests::float8),
    ('personalised', personalised::float8, receipts::float8),
    ('preference', (took_challenger - took_control)::float8,
                   (took_challenger + took_control)::float8),
    ('people_taking', (took_challenger + took_control > 0)::int::float8, 0)
) AS measure (metric, y, x)
WHERE experiment_id = %(experiment_id)s AND state = 'counted'
GROUP BY stratum, arm, metric
