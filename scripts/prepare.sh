#!/bin/bash
# Looks for what the build and the tests need: PostgreSQL with its server headers, a C compiler,
# libclang, a Rust toolchain.  Root gets the missing Debian packages installed, anyone else is told
# the command.  Silent when nothing is missing.
#
# Usage: scripts/prepare.sh [PG_CONFIG]
set -euo pipefail
cd "$(dirname "$0")/.."

pg_config=${1:-}
rust_needed=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
missing=()

# Does any of these paths exist?
any() { compgen -G "$1" >/dev/null; }

# The major version of PG_CONFIG, else the one that the distribution calls `postgresql`.
pg_major() {
  if [ -x "$pg_config" ]; then
    "$pg_config" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/'
  else
    # Nothing where apt has no lists yet.
    { apt-cache depends postgresql 2>/dev/null || true; } | sed -n 's/.*Depends: postgresql-\([0-9]*\)$/\1/p'
  fi
}

has_server() { [ -x "$pg_config" ] && [ -x "$("$pg_config" --bindir)/initdb" ]; }
has_headers() { [ -x "$pg_config" ] && [ -e "$("$pg_config" --includedir-server)/postgres.h" ]; }

find_missing() {
  local major
  major=$(pg_major)
  missing=()
  has_server || missing+=("postgresql${major:+-$major}")
  has_headers || missing+=("postgresql-server-dev-${major:-all}")
  command -v cc >/dev/null || missing+=(gcc)
  [ -e /usr/include/stdio.h ] || missing+=(libc6-dev)
  any '/usr/lib/llvm-*/bin/clang' || command -v clang >/dev/null || missing+=(clang)
  any '/usr/lib/llvm-*/lib/libclang*.so*' || any '/usr/lib*/libclang*.so*' || missing+=(libclang-dev)
  [ -e /etc/ssl/certs/ca-certificates.crt ] || [ -e /etc/pki ] || missing+=(ca-certificates)
}

# Can apt install all that is missing, going by the lists it has?
apt_knows_missing() {
  local package
  for package in "${missing[@]}"; do
    [ -n "$(apt-cache show "$package" 2>/dev/null)" ] || return 1
  done
}

install_missing() {
  export DEBIAN_FRONTEND=noninteractive
  apt_knows_missing || { echo "Updating apt's lists"; apt-get update -qq; find_missing; }
  echo "Installing Debian packages: ${missing[*]} (takes some minutes)"
  log=$(mktemp)
  trap 'rm -f "$log"' EXIT
  # What the packages say while they are set up is of interest only where it fails.
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >"$log" 2>&1 || { cat "$log"; exit 1; }
}

check_packages() {
  find_missing
  [ ${#missing[@]} -gt 0 ] || return 0
  if ! command -v apt-get >/dev/null; then
    echo "Missing here, by their Debian names: ${missing[*]}.  Install them and run make again." >&2
    exit 1
  elif [ "$(id -u)" != 0 ]; then
    echo "Missing Debian packages.  Install them and run make again:" >&2
    echo "  sudo apt-get install ${missing[*]}" >&2
    exit 1
  fi
  install_missing
}

check_rust() {
  local have
  if ! have=$(rustc --version 2>/dev/null) || ! cargo --version >/dev/null 2>&1; then
    echo "There is no Rust toolchain." >&2
  elif [ "$(printf '%s\n' "$rust_needed" "$(cut -d' ' -f2 <<<"$have")" | sort -V | head -n 1)" = "$rust_needed" ]; then
    return 0
  else
    echo "This Rust toolchain is too old: $have." >&2
  fi
  cat >&2 <<END
Rust $rust_needed or newer is needed.  Either of these gets one:
  curl -sSf https://sh.rustup.rs | sh          (any Linux; see https://rustup.rs)
  apt-get install rustup && rustup default stable   (Debian 13 and later)
Then open a new shell and run make again.
END
  exit 1
}

check_rust
check_packages
