#!/bin/bash
# Takes a cluster with an index of every kind through pg_upgrade from each major of PostgreSQL to the next.
# pg_upgrade needs the programs of both: what a machine has not is installed in the folder that
# scripts/pgchroot.sh makes for the newest, from the release of Debian that has it.  Needs root.
#
# Usage: scripts/test-pg-upgrade.sh [MAJOR …], of 15, 17, and 18, which are the default
# MIRROR=http://… is where packages come from, if not from Debian's own servers.
set -euo pipefail
cd "$(dirname "$0")/.."

# In the folder of the newest: all majors, with what was built for each.
if [ "${1:-}" = --in-newest ]; then
  shift
  bindirs=
  for major; do
    if [ ! -e "/usr/lib/postgresql/$major/bin/pg_upgrade" ]; then
      case $major in
        15) suite=bookworm ;;
        17) suite=trixie ;;
      esac
      list=/etc/apt/sources.list.d/$suite.list
      echo "deb ${MIRROR:-http://deb.debian.org/debian} $suite main" >"$list"
      # Only what was added: the list of a release in the making expires.
      apt-get update -qq -o Dir::Etc::sourcelist="$list" -o Dir::Etc::sourceparts=- -o APT::Get::List-Cleanup=0
      DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "postgresql-$major" >/dev/null
    fi
    cp -r "target/pg-upgrade/$major/usr" /
    bindirs=${bindirs:+$bindirs:}/usr/lib/postgresql/$major/bin
  done
  export PG_UPGRADE_BINDIRS=$bindirs
  exec cargo test --package pg_test pg_upgrade:: -- --include-ignored
fi

[ $# -gt 0 ] || set -- 15 17 18
for major; do
  scripts/pgchroot.sh "$major" \
    make --no-print-directory install PROFILE="${PROFILE:-dev}" DESTDIR="target/pg-upgrade/$major"
done
scripts/pgchroot.sh "$major" env MIRROR="${MIRROR:-}" scripts/test-pg-upgrade.sh --in-newest "$@"
