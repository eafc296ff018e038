-- The release that was aborted, if it was the last that ended.
SELECT version, extract(epoch FROM at)::float8 AS aborted_at
FROM (SELECT version, action, step, at FROM deployment
      WHERE step IN ('promote', 'abort')
      ORDER BY step_id DESC LIMIT 1) AS last
WHERE action IN ('release', 'code release') AND step = 'abort'
