#!/bin/bash
# Figures of a database with TABLES tables (10,000), each with an hnsw and an ivf index of ten rows, and of a
# table with PARTITIONS partitions (1,000) of ten rows, against the server that libpq's variables name:
# sizes, times, memory of a session that has searched all tables, planning times beside those of btree.
#
# Usage: with_server scripts/many-tables.sh [TABLES] [PARTITIONS]
set -euo pipefail
tables=${1:-10000} partitions=${2:-1000}

psql=("$PG_BINDIR/psql" -X -q -At -v ON_ERROR_STOP=1)
now() { date +%s%N; }
# Milliseconds since a time.
since() { echo $((($(now) - $1) / 1000000)); }
per_table() { awk -v ms="$1" -v n="$tables" 'BEGIN { printf "%.2f ms for each table", ms / n }'; }

"${psql[@]}" <<'END'
CREATE DATABASE many;
\c many
SET client_min_messages = error;
CREATE EXTENSION vector_ext;
CREATE FUNCTION waves(n int) RETURNS vector IMMUTABLE LANGUAGE sql
  AS 'SELECT array_agg(sin(n * d))::vector(384) FROM generate_series(1, 384) d';
CREATE PROCEDURE create_tables(n int) LANGUAGE plpgsql AS $$
BEGIN
  FOR i IN 1..n LOOP
    EXECUTE format('CREATE TABLE t%s (id int, v vector(384), small vector(8))', i);
    EXECUTE format('INSERT INTO t%s SELECT n, waves(n), subvector(waves(n), 1, 8) FROM generate_series(1, 10) n', i);
    EXECUTE format('CREATE INDEX ON t%s USING hnsw (v vector_l2_ops)', i);
    EXECUTE format('CREATE INDEX ON t%s USING ivf (small)', i);
    IF i % 100 = 0 THEN COMMIT; END IF;
  END LOOP;
END $$;
CREATE PROCEDURE search_tables(n int) LANGUAGE plpgsql AS $$
DECLARE
  query vector := waves(5);
  small vector := subvector(waves(5), 1, 8);
  found int;
BEGIN
  FOR i IN 1..n LOOP
    EXECUTE format('SELECT id FROM t%s ORDER BY v <-> $1 LIMIT 1', i) INTO found USING query;
    ASSERT found = 5;
    EXECUTE format('SELECT id FROM t%s ORDER BY small <-> $1 LIMIT 1', i) INTO found USING small;
    ASSERT found = 5;
    IF i % 100 = 0 THEN COMMIT; END IF;
  END LOOP;
END $$;
END
psql+=(-d many)

start=$(now)
"${psql[@]}" -c "SET client_min_messages = error" -c "CALL create_tables($tables)"
echo "$tables tables with two indexes: $(per_table "$(since "$start")")"
"${psql[@]}" <<'END'
SELECT format('pages of an index %s: %s to %s', amname, min(pages), max(pages))
FROM (SELECT amname, pg_relation_size(c.oid) / 8192 AS pages
  FROM pg_class c JOIN pg_am a ON a.oid = relam WHERE relkind = 'i' AND amname IN ('hnsw', 'ivf')) sizes
GROUP BY amname ORDER BY amname;
SELECT format('size of the database: %s', pg_size_pretty(pg_database_size('many')));
END

"${psql[@]}" <<END
SELECT pg_backend_pid() AS pid \gset
\setenv PID :pid
\! grep RssAnon /proc/\$PID/status | sed 's/^/a session before its first search: /'
SET enable_seqscan = off;
SELECT clock_timestamp() AS start \gset
CALL search_tables($tables);
SELECT format('first search: %s ms for each index', round(extract(epoch FROM clock_timestamp() - :'start') * 500 / $tables, 3));
\! grep RssAnon /proc/\$PID/status | sed 's/^/the session after it: /'
SELECT clock_timestamp() AS start \gset
CALL search_tables($tables);
SELECT format('second search: %s ms for each index', round(extract(epoch FROM clock_timestamp() - :'start') * 500 / $tables, 3));
\! grep RssAnon /proc/\$PID/status | sed 's/^/the session after it: /'
SELECT name, pg_size_pretty(sum(total_bytes)) FROM pg_backend_memory_contexts
GROUP BY name ORDER BY sum(total_bytes) DESC LIMIT 4;
END
start=$(now)
"${psql[@]}" -c 'VACUUM (ANALYZE)'
echo "VACUUM (ANALYZE) of all: $(per_table "$(since "$start")")"

"${psql[@]}" <<END
SET client_min_messages = error;
CREATE TABLE parts (id int, v vector(384)) PARTITION BY RANGE (id);
SELECT format('CREATE TABLE parts_%s PARTITION OF parts FOR VALUES FROM (%s) TO (%s)', n, 10 * n, 10 * n + 10)
FROM generate_series(0, $partitions - 1) n \gexec
INSERT INTO parts SELECT n, waves(n) FROM generate_series(0, 10 * $partitions - 1) n;
CREATE INDEX ON parts (id);
CREATE INDEX ON parts USING hnsw (v vector_l2_ops);
VACUUM ANALYZE parts;
SET enable_seqscan = off;
CREATE FUNCTION planning(query text) RETURNS text LANGUAGE plpgsql AS \$\$
DECLARE
  plan json;
BEGIN
  -- Not the first time, which reads the catalog.
  FOR n IN 1..5 LOOP
    EXECUTE format('EXPLAIN (ANALYZE, FORMAT json) %s', query) INTO plan;
  END LOOP;
  RETURN format('planned in %s ms, run in %s ms', round((plan->0->>'Planning Time')::numeric, 1),
    round((plan->0->>'Execution Time')::numeric, 1));
END \$\$;
\qecho $partitions partitions:
SELECT 'all, hnsw: ' || planning('SELECT id FROM parts ORDER BY v <-> waves(5) LIMIT 10');
SELECT 'all, btree: ' || planning('SELECT id FROM parts ORDER BY id LIMIT 10');
SELECT 'one, hnsw: ' || planning('SELECT id FROM parts WHERE id BETWEEN 50 AND 59 ORDER BY v <-> waves(5) LIMIT 10');
SELECT 'one, btree: ' || planning('SELECT id FROM parts WHERE id BETWEEN 50 AND 59 ORDER BY id LIMIT 10');
END
