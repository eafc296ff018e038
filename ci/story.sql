-- What `make story` tells, oldest first.
SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') AS at, sentence, evidence
FROM story
WHERE at > now() - :'since'::interval
ORDER BY story.at;
