-- How many sessions each role may have at once: one that leaks, or many people, leave the
-- others theirs. Together they are fewer than the server takes (max_connections).
ALTER ROLE ingest CONNECTION LIMIT 12;
ALTER ROLE retention CONNECTION LIMIT 12;
ALTER ROLE trainer CONNECTION LIMIT 12;
ALTER ROLE recommender CONNECTION LIMIT 24; -- two slots
ALTER ROLE evaluation CONNECTION LIMIT 16;
ALTER ROLE releaser CONNECTION LIMIT 12;
ALTER ROLE exporter CONNECTION LIMIT 6;
ALTER ROLE backup CONNECTION LIMIT 12;
ALTER ROLE analyst CONNECTION LIMIT 30;
ALTER ROLE scheduler CONNECTION LIMIT 4;
