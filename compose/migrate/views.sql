-- What a newcomer looks at first in psql. Re-run on every start: it states the whole.
DROP VIEW IF EXISTS live_now, version_quality, arrival, refusal, expiry, experiment_verdict, story;

CREATE VIEW arrival AS
SELECT date_trunc('hour', time) AS hour, kind, count(*) AS lines
FROM (
    SELECT time, 'watch' AS kind FROM watch WHERE time >= now() - interval '1 day'
    UNION ALL
    SELECT time, 'rating' FROM rating WHERE time >= now() - interval '1 day'
    UNION ALL
    SELECT time, 'recommendation_request' FROM recommendation_request
    WHERE time >= now() - interval '1 day'
    UNION ALL
    SELECT time, 'account' FROM account WHERE time >= now() - interval '1 day'
    UNION ALL
    SELECT landed_at, 'reject' FROM reject WHERE landed_at >= now() - interval '1 day'
    UNION ALL
    SELECT landed_at, 'duplicate' FROM duplicate WHERE landed_at >= now() - interval '1 day'
) AS line
GROUP BY 1, 2
ORDER BY 1 DESC, 2;
COMMENT ON VIEW arrival IS 'What came in: lines of the last day by hour and table';
COMMENT ON COLUMN arrival.hour IS 'hour of the line''s own time; of landing for what was refused';
COMMENT ON COLUMN arrival.kind IS 'the table where these lines are';
COMMENT ON COLUMN arrival.lines IS 'how many';

CREATE VIEW refusal AS
SELECT reason, count(*) AS lines, min(landed_at) AS first_refused, max(landed_at) AS last_refused,
       (array_agg(encode(substring(raw FOR 120), 'escape') ORDER BY landed_at DESC))[1] AS sample
FROM reject
GROUP BY reason
ORDER BY lines DESC;
COMMENT ON VIEW refusal IS 'What was refused and why; the lines themselves are in reject';
COMMENT ON COLUMN refusal.reason IS 'why, one word from ingest.lines.Reason';
COMMENT ON COLUMN refusal.lines IS 'how many lines that are still kept';
COMMENT ON COLUMN refusal.first_refused IS 'when the oldest of them was refused';
COMMENT ON COLUMN refusal.last_refused IS 'when the newest of them was refused';
COMMENT ON COLUMN refusal.sample IS 'the beginning of the newest; bytes that are no ASCII as \ooo';

CREATE VIEW expiry AS
SELECT relation, partition_name, lower_bound, upper_bound, pg_size_pretty(bytes) AS size,
       expires_at, drops, reason, planned_at
FROM retention_plan
ORDER BY expires_at, relation;
COMMENT ON VIEW expiry IS 'What will be dropped when, and why the rest stays: the last plan of retention, what goes first on top';
COMMENT ON COLUMN expiry.relation IS 'the table';
COMMENT ON COLUMN expiry.partition_name IS 'the partition of it';
COMMENT ON COLUMN expiry.lower_bound IS 'earliest time it can hold';
COMMENT ON COLUMN expiry.upper_bound IS 'first time past what it can hold';
COMMENT ON COLUMN expiry.size IS 'on disk, indexes included';
COMMENT ON COLUMN expiry.expires_at IS 'when it is past its time to live';
COMMENT ON COLUMN expiry.drops IS 'whether the last pass meant to drop it';
COMMENT ON COLUMN expiry.reason IS 'why it goes, or why it stays';
COMMENT ON COLUMN expiry.planned_at IS 'when this was decided';

-- Windows are weighted by what they rest on. Who came back in several of them is not known, so the
-- interval is as wide as if the same people had come in each. Few people do not say how they vary:
-- a window of fewer than 50, or of people who were all alike, is as sure as one answer of each. The
-- interval is Wilson's, as that of a window. Versions that answered different people are compared by
-- an experiment, not by this.
CREATE VIEW version_quality AS
WITH judged AS (
    SELECT *, sum(value * samples) OVER version / sum(samples) OVER version AS mean
    FROM online_metric
    WHERE arm = 'control' AND reason = 'all' AND segment = 'all' AND samples > 0
    WINDOW version AS (PARTITION BY model_version, metric)
),
pooled AS (
    SELECT model_version, metric, min(window_start) AS first, max(window_end) AS last,
           sum(samples)::float8 AS samples, max(mean) AS value, max(people) AS people,
           max(greatest(mean * (1 - mean), 0)) AS spread
    FROM judged
    GROUP BY model_version, metric
),
doubt AS (
    SELECT model_version,
           sum(samples * sqrt(CASE WHEN people < 50 OR variance = 0
                                   THEN greatest(variance, mean * (1 - mean) / people, 0)
                                   ELSE variance END)) / sum(samples) AS error
    FROM judged
    WHERE metric = 'hit_rate' AND people > 0
    GROUP BY model_version
),
independent AS (
    SELECT model_version, value, spread,
           3.8416 / least(samples, coalesce(spread / nullif(error ^ 2, 0), people)) AS doubts
    FROM pooled
    JOIN doubt USING (model_version)
    WHERE metric = 'hit_rate'
),
bounds AS (
    SELECT model_version, greatest(middle - half, 0) AS low, least(middle + half, 1) AS high
    FROM independent
    CROSS JOIN LATERAL (
        SELECT (value + doubts / 2) / (1 + doubts) AS middle,
               sqrt(doubts * spread + doubts ^ 2 / 4) / (1 + doubts) AS half
    ) AS wilson
)
SELECT model_version, min(first) AS first_answer, max(last) AS last_answer,
       max(samples) FILTER (WHERE metric = 'hit_rate') AS answers,
       max(value) FILTER (WHERE metric = 'hit_rate') AS hit_rate,
       max(low) AS hit_rate_low, max(high) AS hit_rate_high,
       max(value) FILTER (WHERE metric = 'minutes_per_answer') AS minutes_per_answer,
       max(value) FILTER (WHERE metric = 'ndcg') AS ndcg,
       max(value) FILTER (WHERE metric = 'rating_mean') AS rating_mean,
       max(value) FILTER (WHERE metric = 'personalised_share') AS personalised_share,
       max(value) FILTER (WHERE metric = 'coverage') AS coverage,
       max(value) FILTER (WHERE metric = 'concentration') AS concentration,
       max(samples) FILTER (WHERE metric = 'failed_share') AS requests,
       max(value) FILTER (WHERE metric = 'failed_share') AS failed_share,
       max(value) FILTER (WHERE metric = 'response_ms_p99') AS response_ms_p99
FROM pooled
LEFT JOIN bounds USING (model_version)
GROUP BY model_version
ORDER BY first_answer DESC;
COMMENT ON VIEW version_quality IS 'How well each model version did for people, over all windows that are kept; the newest first';
COMMENT ON COLUMN version_quality.model_version IS 'the model; none: callers that no slot answered';
COMMENT ON COLUMN version_quality.first_answer IS 'start of its first window';
COMMENT ON COLUMN version_quality.last_answer IS 'end of its last window';
COMMENT ON COLUMN version_quality.answers IS 'answers judged';
COMMENT ON COLUMN version_quality.hit_rate IS 'share of them after which something shown was watched';
COMMENT ON COLUMN version_quality.hit_rate_low IS 'lower end of its 95 % interval';
COMMENT ON COLUMN version_quality.hit_rate_high IS 'upper end of its 95 % interval';
COMMENT ON COLUMN version_quality.minutes_per_answer IS 'minutes watched of what was shown, an answer';
COMMENT ON COLUMN version_quality.ndcg IS 'how far up stood what was watched: 1 first, 0 nothing watched';
COMMENT ON COLUMN version_quality.rating_mean IS 'mean rating given to what was shown';
COMMENT ON COLUMN version_quality.personalised_share IS 'share of answers by model or fold_in';
COMMENT ON COLUMN version_quality.coverage IS 'share of the movies it knows that a window showed, mean';
COMMENT ON COLUMN version_quality.concentration IS 'Gini coefficient of what a window showed, mean';
COMMENT ON COLUMN version_quality.requests IS 'requests that callers logged and it answered';
COMMENT ON COLUMN version_quality.failed_share IS 'share of these that failed, as the caller saw it';
COMMENT ON COLUMN version_quality.response_ms_p99 IS '99th percentile of milliseconds, mean of windows';

CREATE VIEW live_now AS
SELECT step.live_version, step.live_slot, step.at AS last_step_at, step.action, step.step,
       step.reason, quality.answers, quality.hit_rate, quality.hit_rate_low,
       quality.hit_rate_high, quality.minutes_per_answer, quality.failed_share
FROM live_at(now()) AS step
LEFT JOIN version_quality AS quality ON quality.model_version = step.live_version;
COMMENT ON VIEW live_now IS 'What is live, the last step that was taken, and how well it does for people';
COMMENT ON COLUMN live_now.live_version IS 'the version that is live';
COMMENT ON COLUMN live_now.live_slot IS 'the slot that is live';
COMMENT ON COLUMN live_now.last_step_at IS 'when the last step of a release was';
COMMENT ON COLUMN live_now.action IS 'release or rollback, of a model; code release or code rollback';
COMMENT ON COLUMN live_now.step IS 'which step it was';
COMMENT ON COLUMN live_now.reason IS 'why';
COMMENT ON COLUMN live_now.answers IS 'answers judged of the live version';
COMMENT ON COLUMN live_now.hit_rate IS 'share of them after which something shown was watched';
COMMENT ON COLUMN live_now.hit_rate_low IS 'lower end of its 95 % interval';
COMMENT ON COLUMN live_now.hit_rate_high IS 'upper end of its 95 % interval';
COMMENT ON COLUMN live_now.minutes_per_answer IS 'minutes watched of what was shown, an answer';
COMMENT ON COLUMN live_now.failed_share IS 'share of its requests that failed, as the caller saw it';

CREATE VIEW experiment_verdict AS
SELECT experiment.experiment_id, experiment.name, experiment.kind, look.verdict, look.reason,
       experiment.challenger, experiment.control, stratum.share,
       look.control_people + look.challenger_people AS people, look.low, look.value, look.high,
       look.looked_at, experiment.started_at, experiment.ended_at, experiment.end_reason
FROM experiment
LEFT JOIN LATERAL (
    SELECT * FROM experiment_look
    WHERE experiment_look.experiment_id = experiment.experiment_id AND verdict IS NOT NULL
    -- what it said when it ended: those who are counted after that change it no more
    ORDER BY looked_at > coalesce(experiment.ended_at, 'infinity'), looked_at DESC
    LIMIT 1
) AS look ON true
LEFT JOIN LATERAL (
    SELECT share FROM experiment_stratum
    WHERE experiment_stratum.experiment_id = experiment.experiment_id
    ORDER BY experiment_stratum.stratum DESC
    LIMIT 1
) AS stratum ON true
ORDER BY experiment.experiment_id DESC;
COMMENT ON VIEW experiment_verdict IS 'What each experiment says so far, or said when it ended, the newest on top; every look there was is in experiment_look';
COMMENT ON COLUMN experiment_verdict.experiment_id IS 'number';
COMMENT ON COLUMN experiment_verdict.name IS 'what is tried';
COMMENT ON COLUMN experiment_verdict.kind IS 'ab: each arm gets one version; interleaving: lists of both';
COMMENT ON COLUMN experiment_verdict.verdict IS 'better, worse, no_difference, undecided, wait or stop; null before the first look';
COMMENT ON COLUMN experiment_verdict.reason IS 'why, in a sentence';
COMMENT ON COLUMN experiment_verdict.challenger IS 'model version that is tried';
COMMENT ON COLUMN experiment_verdict.control IS 'model version it is tried against';
COMMENT ON COLUMN experiment_verdict.share IS 'buckets of 1,000 that the challenger has, or had last';
COMMENT ON COLUMN experiment_verdict.people IS 'people whose time was over at the last look';
COMMENT ON COLUMN experiment_verdict.low IS 'lower end of the interval of value, at all looks together';
COMMENT ON COLUMN experiment_verdict.value IS 'how many more people of the challenger''s watched something recommended, as a share; of interleaving how many more of the movies watched were the challenger''s, -1 to 1';
COMMENT ON COLUMN experiment_verdict.high IS 'upper end of that interval';
COMMENT ON COLUMN experiment_verdict.looked_at IS 'when it was last looked at and something had changed; of one that ended, before its end';
COMMENT ON COLUMN experiment_verdict.started_at IS 'start';
COMMENT ON COLUMN experiment_verdict.ended_at IS 'end; null while it runs';
COMMENT ON COLUMN experiment_verdict.end_reason IS 'why it ended';

CREATE VIEW story AS
SELECT at, sentence, evidence
FROM (
    SELECT created_at AS at,
           format('%s was trained on %s interactions; the offline gate %s it: %s',
                  version, interactions, verdict, reason) AS sentence,
           format('model_version: %s', version) AS evidence
    FROM model_version
    UNION ALL
    SELECT at,
           CASE
               WHEN step = 'start' THEN format('A %s of %s was begun, %s.', action, version, reason)
               WHEN step = 'replay' THEN format('Before anybody got %s: %s.', version, reason)
               WHEN step = 'watch'
                   THEN format('%s had %s of 1,000 buckets: %s.', version, share, reason)
               WHEN step = 'abort' AND live_version IS NULL
                   THEN format('The %s of %s was given up: %s.', action, version, reason)
               WHEN step = 'abort'
                   THEN format('The %s of %s was given up, %s stayed live: %s.',
                               action, version, live_version, reason)
               ELSE format('%s went live by a %s: %s.%s', version, action, reason,
                           -- before the first, slots can only fail: Nginx answers
                           CASE WHEN certificate IS NOT JSON OBJECT THEN NULL
                                WHEN certificate::jsonb ->> 'in_place_of' IS NOT NULL
                                THEN ' The slots answered ' || (certificate::jsonb ->> 'requests')
                                     || ' requests meanwhile, ' || (certificate::jsonb ->> 'failed')
                                     || ' failed.'
                           END)
           END,
           format('deployment: step %s%s', step_id, ', ' || deployment.evidence || ' requests')
    FROM deployment
    WHERE step IN ('start', 'replay', 'watch', 'promote', 'abort')
    UNION ALL
    SELECT at,
           format('Of %s were kept: %s figures, %s pairs of answers and %s lines of its log.',
                  version, (SELECT count(*) FROM jsonb_object_keys(figures)),
                  jsonb_array_length(answers), cardinality(log)),
           format('rejected_candidate: %s', rejection_id)
    FROM rejected_candidate
    UNION ALL
    SELECT at,
           CASE outcome
               WHEN 'given' THEN format('Slot %s is recreated with the code of %s.', slot, image)
               WHEN 'placed' THEN format('Slot %s got the code of %s, to be tried.', slot, image)
               WHEN 'released' THEN format('Slot %s keeps the code of %s.', slot, image)
               ELSE format('Slot %s has the code again that it had before that of %s.', slot, image)
           END,
           format('code_release: %s', release_id)
    FROM code_release
    UNION ALL
    SELECT started_at,
           format('%s was %s %s: %s.', challenger,
                  CASE kind WHEN 'interleaving' THEN 'interleaved with' ELSE 'tried against' END,
                  control, name),
           format('experiment: %s', experiment_id)
    FROM experiment
    UNION ALL
    SELECT ended_at, format('%s ended: %s.', name, end_reason),
           format('experiment: %s', experiment_id)
    FROM experiment
    WHERE ended_at IS NOT NULL
) AS told
ORDER BY at DESC;
COMMENT ON VIEW story IS 'What happened to what is live, in sentences, each with the row that shows it; the newest first';
COMMENT ON COLUMN story.at IS 'when';
COMMENT ON COLUMN story.sentence IS 'what happened';
COMMENT ON COLUMN story.evidence IS 'table and key of the row that says so';
