#!/bin/bash
# Runs `cargo test`, shows all its output and ends with one line: N passed, M failed.
# Fails when a test fails, or when something does not compile.
#
# Usage: scripts/test.sh ARGUMENTS-OF-CARGO-TEST
#
# The tests are built in the dev profile (opt-level 1): it compiles several times faster than release
# with its fat LTO, and the code that is slow to test, the extension itself, is installed in release.
set -uo pipefail
cd "$(dirname "$0")/.."

log=$(mktemp)
trap 'rm -f "$log"' EXIT

cargo test --no-fail-fast "$@" 2>&1 | tee "$log"
status=${PIPESTATUS[0]}

# Each test binary reports: test result: ok. 12 passed; 0 failed; 0 ignored; ...
# One that does not compile or dies reports nothing: it counts as one failure.
awk -v status="$status" '
  /^test result:/ { passed += $4; failed += $6 }
  END { printf "%d passed, %d failed\n", passed, failed ? failed : status != 0 }' "$log"
exit "$status"
