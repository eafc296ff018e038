-- The tables that lines of the stream land in: partitioned, and each row says where its line stood.
SELECT relname
FROM pg_class
WHERE relkind = 'p' AND relnamespace = 'public'::regnamespace
  AND EXISTS (SELECT FROM pg_attribute
              WHERE attrelid = pg_class.oid AND attname = 'log_offset' AND NOT attisdropped)
ORDER BY relname
