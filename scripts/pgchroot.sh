#!/bin/bash
# Runs a command with another major of PostgreSQL than this machine has: in a folder that holds a
# small Debian or Ubuntu of which it is part, with this machine's Rust toolchain.  The folder is made
# by debootstrap the first time, and kept in target/pgMAJOR-root; what is built lies in
# target/pgMAJOR.  Where this machine has that major, the command just runs here.
#
# Usage: scripts/pgchroot.sh MAJOR COMMAND [ARGUMENT …]
#   scripts/pgchroot.sh 17 make test
#   scripts/pgchroot.sh 18 cargo test --package pg_test hnsw_plans::
# MIRROR=http://… is where packages come from, if not from the distribution's own servers.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
  printf '%s\n' "$@" >&2
  exit 1
}

# The distribution that has this major, and the server that has the distribution.
find_suite() {
  case $1 in
    14) distribution=ubuntu suite=jammy ;;
    15) distribution=debian suite=bookworm ;;
    16) distribution=ubuntu suite=noble ;;
    17) distribution=debian suite=trixie ;;
    18) distribution=debian suite=forky ;;
    *) fail "PG=$1: vector_ext is for PostgreSQL 14 to 18." ;;
  esac
  case $distribution-$(uname -m) in
    debian-*) mirror=http://deb.debian.org/debian ;;
    ubuntu-x86_64) mirror=http://archive.ubuntu.com/ubuntu ;;
    ubuntu-*) mirror=http://ports.ubuntu.com/ubuntu-ports ;;
  esac
  mirror=${MIRROR:-$mirror}
}

has_major() { [ -x "$pg_config" ] || (. /etc/os-release && [ "${VERSION_CODENAME:-}" = "$suite" ]); }

install_debootstrap() {
  command -v debootstrap >/dev/null && return
  command -v apt-get >/dev/null || { echo "debootstrap is not installed"; return 1; }
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends debootstrap
}

# Debian's keys come with debootstrap.  Ubuntu's lie in a package that is known by its checksum.
ubuntu_keyring() {
  local package=ubuntu-keyring_2021.03.26_all.deb
  wget -nv -P "$work" "$mirror/pool/main/u/ubuntu-keyring/$package"
  echo "0d0e7ed6b112f5d03eabf3c7eb01ebdacf9c57714b279e90495cfc58c8c4520f  $work/$package" | sha256sum --check
  dpkg-deb -x "$work/$package" "$work"
}

# The distribution, PostgreSQL with its headers, and what builds use.
fill() {
  local script=sid
  if [ $distribution = ubuntu ]; then
    ubuntu_keyring
    set -- --components=main,universe --keyring="$work/usr/share/keyrings/ubuntu-archive-keyring.gpg"
    script=gutsy
  fi
  # These scripts do for every suite of their distribution, also for one that debootstrap is too old to know.
  debootstrap --variant=minbase "$@" "$suite" "$new" "$mirror" /usr/share/debootstrap/scripts/$script
  if [ $distribution = ubuntu ]; then # whose suites stay at the minor releases that they began with
    echo "deb $mirror $suite-updates main universe" >>"$new/etc/apt/sources.list"
  fi
  cp -L /etc/resolv.conf "$new/etc/resolv.conf"
  # No server of its own.
  mkdir -p "$new/etc/postgresql-common"
  echo 'create_main_cluster = false' >"$new/etc/postgresql-common/createcluster.conf"
  mount -t proc proc "$new/proc"
  chroot "$new" apt-get update
  DEBIAN_FRONTEND=noninteractive chroot "$new" apt-get install -y --no-install-recommends \
    "postgresql-$major" "postgresql-server-dev-$major" clang gcc libclang-dev libc6-dev make ca-certificates
  umount "$new/proc"
  chroot "$new" apt-get clean
  mkdir "$new/src" "$new/target" "$new/rust" "$new/cargo"
}

make_root() {
  echo "Making $root: $suite with PostgreSQL $major (once; some 500 MB to download, 2 GB on disk)"
  work=$(mktemp -d)
  trap 'tail -n 20 "$work/log" >&2; rm -rf "$work"
    fail "Could not make $root.  Can this machine reach $mirror?"' EXIT
  new=$root.new # a folder that was left half made is made anew
  rm -rf "$new"
  mkdir -p "$new"
  # A shell of its own, so that what fails is told outside of the log.
  (install_debootstrap; fill) >"$work/log" 2>&1
  mv "$new" "$root"
  trap - EXIT
  rm -rf "$work"
}

[ $# -ge 2 ] || fail "Usage: scripts/pgchroot.sh MAJOR COMMAND [ARGUMENT …]"
major=$1
shift
find_suite "$major"
pg_config=/usr/lib/postgresql/$major/bin/pg_config
if has_major; then
  PG_CONFIG=$pg_config PGRX_PG_CONFIG_PATH=$pg_config exec "$@"
fi

[ "$(id -u)" = 0 ] || fail "PostgreSQL $major is not on this machine, and only root can make a folder" \
  "with it.  Run this as root, or install PostgreSQL $major and its server headers."
# What is mounted here is not seen elsewhere, and goes with this process.
[ "${PGCHROOT:-}" = mounts ] || PGCHROOT=mounts exec unshare --mount "$0" "$major" "$@"

mkdir -p "${CARGO_TARGET_DIR:-target}"
target=$(realpath "${CARGO_TARGET_DIR:-target}")/pg$major
root=$target-root
toolchain=$(rustc --print sysroot) || fail "There is no Rust toolchain: https://rustup.rs has one."
[ -d "$root" ] || make_root
# In the folder, cargo need not reach the network.
cargo fetch --quiet --locked

mkdir -p "$target"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount --bind . "$root/src"
mount --bind "$target" "$root/target"
mount --bind "$toolchain" "$root/rust"
mount --bind "${CARGO_HOME:-$HOME/.cargo}" "$root/cargo"
exec env -i HOME=/root TERM="${TERM:-dumb}" LANG=C.UTF-8 \
  PATH=/rust/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
  CARGO_HOME=/cargo CARGO_NET_OFFLINE=true CARGO_TARGET_DIR=/target \
  PG_CONFIG="$pg_config" PGRX_PG_CONFIG_PATH="$pg_config" \
  chroot "$root" sh -c 'cd /src && exec "$@"' sh "$@"
