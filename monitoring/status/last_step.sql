-- The last step of a release, and since when the version that is live now has been.
SELECT last.live_version, last.live_slot, last.action, last.step, last.version, last.reason, last.at,
       CASE WHEN last.slot = last.live_slot THEN last.share ELSE 1000 - last.share END AS live_share,
       (SELECT min(step.at) FROM deployment AS step
        WHERE step.step_id > coalesce(
            (SELECT max(other.step_id) FROM deployment AS other
             WHERE other.live_version IS DISTINCT FROM last.live_version), 0)) AS live_since
FROM deployment AS last
ORDER BY last.step_id DESC
LIMIT 1
