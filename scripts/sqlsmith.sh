#!/bin/bash
# Random statements, by sqlsmith, for SQLSMITH_SECONDS (600), against the server that libpq's variables
# name: with_server starts one.  Their tables have vectors and indexes of all access methods.
# Internal errors (SQLSTATE XX…) are shown with their statements.  They and crashes are failures.
#
# Usage: with_server scripts/sqlsmith.sh      SQLSMITH_SEED=N repeats a run, as far as time lets it
set -euo pipefail

if ! command -v sqlsmith >/dev/null; then
  [ "$(id -u)" = 0 ] || { echo "Install the Debian package sqlsmith and run this again." >&2; exit 1; }
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends sqlsmith >/dev/null
fi

psql=("$PG_BINDIR/psql" -X -q -v ON_ERROR_STOP=1)
"${psql[@]}" <<'END'
CREATE EXTENSION vector_ext;
CREATE ROLE smith LOGIN;
GRANT CREATE ON SCHEMA public TO smith;
ALTER SYSTEM SET log_line_prefix = '%m [%p] %e ';
SELECT pg_reload_conf() \g /dev/null
SET ROLE smith;
CREATE TABLE items (id int PRIMARY KEY, doc int, body text, v vector(3), h halfvec(3), f bf16vec(3),
  b i8vec(3), s sparsevec(3), bits bit(8), made timestamptz);
INSERT INTO items SELECT i, i % 40, 'text ' || i, ARRAY[i % 10, i % 7, i % 3], ARRAY[i % 10, i % 7, 1],
  ARRAY[i % 10, i % 7, 1], ARRAY[i % 10, i % 7, 1], ARRAY[i % 10, 0, 1]::real[], i::bit(8), now()
  FROM generate_series(1, 2000) i;
CREATE INDEX ON items USING hnsw (v vector_l2_ops);
CREATE INDEX ON items USING hnsw (h halfvec_cosine_ops);
CREATE INDEX ON items USING hnsw (s sparsevec_ip_ops);
CREATE INDEX ON items USING hnsw (bits bit_hamming_ops);
CREATE INDEX ON items USING ivf (f bf16vec_l2_ops);
CREATE INDEX ON items USING ivfflat (b i8vec_cosine_ops);
CREATE TABLE parts (id int, doc int, v vector(3)) PARTITION BY HASH (id);
CREATE TABLE parts_0 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO parts SELECT id, doc, v FROM items;
CREATE INDEX ON parts USING hnsw (v vector_cosine_ops);
CREATE VIEW near AS SELECT id, doc, v <-> '[1,2,3]' AS distance FROM items ORDER BY v <-> '[1,2,3]' LIMIT 20;
CREATE VIEW near_ids AS SELECT id FROM items ORDER BY v <-> '[1,2,3]' LIMIT 20;
CREATE VIEW hits AS SELECT (hit).id, score FROM vector_search(NULL::items, ann('v', '[1,2,3]'::vector));
ANALYZE items, parts;
END
log=$("${psql[@]}" -At -c 'SHOW data_directory')/../log
seed=${SQLSMITH_SEED:-$(od -An -N2 -tu2 /dev/urandom | tr -d ' ')}
echo "sqlsmith for ${SQLSMITH_SECONDS:-600} s, SQLSMITH_SEED=$seed"
timeout "${SQLSMITH_SECONDS:-600}" sqlsmith --target="user=smith dbname=$PGDATABASE" --seed="$seed" \
  --exclude-catalog >/dev/null 2>&1 || true

# The error and all lines of its statement, which ends where the next message begins.  PostgreSQL's own
# intervaltypmodout has an internal error for numbers that no type has.
internal=$(awk '/^[0-9-]+ [0-9:.]+ [A-Z]+ \[[0-9]+\] / {
    if (/\] [0-9A-Z]+ (ERROR|FATAL)/) ours = !/invalid INTERVAL typmod/
    shown = ours && /\] XX[0-9A-Z]+ /
  } shown' "$log")
crashes=$(grep -E 'was terminated by signal|TRAP:' "$log" || true)
grep -c ' \[[0-9]*\] [0-9A-Z]* ERROR' "$log" | sed 's/$/ statements were refused/'
[ -z "$internal$crashes" ] || { printf '%s\n' "$internal" "$crashes"; exit 1; }
