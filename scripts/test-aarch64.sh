#!/bin/bash
# Checks that the extension compiles for AArch64, and runs tests for it in an emulator: those of the
# kernels, and of what is built on them.
#
# Usage: scripts/test-aarch64.sh [ARGUMENT-OF-CARGO-TEST …]
# Needs rustup, and on Debian: apt-get install gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static
set -euo pipefail
cd "$(dirname "$0")/.."

target=aarch64-unknown-linux-gnu
for program in rustup aarch64-linux-gnu-gcc qemu-aarch64-static; do
  command -v "$program" >/dev/null || { echo "$program is missing: see $0" >&2; exit 1; }
done
rustup target add "$target"
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER='qemu-aarch64-static -L /usr/aarch64-linux-gnu'
export CC_aarch64_unknown_linux_gnu=aarch64-linux-gnu-gcc

cargo check --quiet --target "$target" --package vector_ext --no-default-features \
  --features "pg$("$PG_CONFIG" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')"
[ $# -gt 0 ] || set -- --package kernels --package quant --package vectors
scripts/test.sh --target "$target" "$@"
