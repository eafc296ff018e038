-- How large each relation is, its partitions together; tuples as last counted by (auto)analyze.
SELECT wanted.name,
       sum(pg_relation_size(part.id))::bigint AS bytes,
       sum(greatest(pg_class.reltuples, 0))::bigint AS tuples
FROM unnest(%(relations)s::text[]) WITH ORDINALITY AS wanted (name, position)
LEFT JOIN LATERAL pg_partition_tree(wanted.name::regclass) AS tree ON tree.isleaf
CROSS JOIN LATERAL (SELECT coalesce(tree.relid, wanted.name::regclass) AS id) AS part
JOIN pg_class ON pg_class.oid = part.id
GROUP BY wanted.name, wanted.position
ORDER BY wanted.position
