#!/bin/bash
# Runs the TAP tests of a checkout of pgvector (test/t) against vector_ext under its alias "vector", and ends
# with the tests that fail.  docs/pgvector-compat.md says why.  Plans are expected to have our node where
# pgvector's have an index scan; all else is as pgvector has it.
#
# Usage: make pgvector-suite PGVECTOR=/path/to/pgvector, which starts this; needs Perl's IPC::Run
set -euo pipefail

suite=$(realpath "${1:?usage: make pgvector-suite PGVECTOR=/path/to/pgvector}/test")
if ! perl -MIPC::Run -e 1 2>/dev/null; then
  echo "The TAP tests need Perl's IPC::Run.  Install it and run make again:" >&2
  echo "  apt-get install libipc-run-perl" >&2
  exit 1
fi
pgxs=$(dirname "$(dirname "$("$PG_CONFIG" --pgxs)")") # …/pgxs/src
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r "$suite/t" "$suite/perl" "$work"
sed -i -E 's/qr\/Index Scan using [a-z_]+( on [a-z_]+)?\//qr\/Index Scan\//' "$work"/t/*.pl

run=(env -u RUST_BACKTRACE)
if [ "$(id -u)" = 0 ]; then
  chown -R postgres "$work"
  run=(runuser -u postgres -- "${run[@]}")
fi
cd "$work"
"${run[@]}" PATH="$PG_BINDIR:$PATH" TMPDIR="$work" PG_REGRESS="$pgxs/test/regress/pg_regress" \
  PERL5LIB="$pgxs/test/perl:$work/perl" prove t/*.pl
