#!/bin/bash
# Builds the library of each release that pg_test/tests/upgrade.rs names, in target/upgrade, and tests that
# today's library and SQL go on with its indexes.  Needs the commits: not a shallow clone.
set -euo pipefail
cd "$(dirname "$0")/.."

sed -n 's/^ *\(version\|commit\): "\(.*\)",$/\2/p' pg_test/tests/upgrade.rs | paste - - |
  while read -r version commit; do
    sources=target/upgrade/$version
    if [ ! -e "$sources/Makefile" ]; then
      mkdir -p "$sources"
      git archive "$commit" | tar -x -C "$sources"
    fi
    make --no-print-directory -C "$sources" build PROFILE=dev CARGO_TARGET_DIR=target </dev/null
  done
cargo test --package pg_test upgrade:: -- --include-ignored
