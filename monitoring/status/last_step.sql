-- The last step of a release, and since when, why and for how many the version that is live now
-- is. Buckets that an experiment drew get something else.
SELECT last.live_version, last.live_slot, last.action, last.step, last.version, last.reason, last.at,
       least(CASE WHEN last.slot = last.live_slot THEN last.share ELSE 1000 - last.share END,
             1000 - coalesce(
                 (SELECT share FROM experiment_stratum JOIN experiment USING (experiment_id)
                  WHERE ended_at IS NULL ORDER BY begun_at DESC LIMIT 1), 0)) AS live_share,
       (SELECT min(step.at) FROM deployment AS step
        WHERE step.step_id > coalesce(
            (SELECT max(other.step_id) FROM deployment AS other
             WHERE other.live_version IS DISTINCT FROM last.live_version), 0)) AS live_since,
       (SELECT promote.reason FROM deployment AS promote
        WHERE promote.step = 'promote' AND promote.version = last.live_version
        ORDER BY promote.step_id DESC LIMIT 1) AS live_reason
FROM deployment AS last
ORDER BY last.step_id DESC
LIMIT 1
