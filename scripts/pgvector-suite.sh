#!/bin/bash
# Runs the SQL tests of a checkout of pgvector (test/sql) against vector_ext under its alias "vector", and
# shows where the answers differ from those it expects (test/expected); then its TAP tests.
# docs/pgvector-compat.md says why each of them differs.
#
# Usage: make pgvector-suite PGVECTOR=/path/to/pgvector, which starts this with a server
set -uo pipefail

tap=$(realpath "$(dirname "$0")/pgvector-tap.sh")
suite=$(realpath "${1:?usage: make pgvector-suite PGVECTOR=/path/to/pgvector}/test")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/results" # some files write there
cd "$work"
same=0
differ=0

for sql in "$suite"/sql/*.sql; do
  name=$(basename "$sql" .sql)
  "$PG_BINDIR/psql" -Xqc "CREATE DATABASE test_$name" postgres
  "$PG_BINDIR/psql" -Xqc "CREATE EXTENSION vector" "test_$name"
  "$PG_BINDIR/psql" -Xaq "test_$name" <"$sql" >"$name.out" 2>&1 # as pg_regress does it
  if diff -U3 --label "expected/$name.out" --label "$name.out" "$suite/expected/$name.out" "$name.out"; then
    same=$((same + 1))
  else
    differ=$((differ + 1))
  fi
done
echo "$same files as expected, $differ with differences"

"$tap" "$(dirname "$suite")"
