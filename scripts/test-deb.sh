#!/bin/bash
# Installs the packages of `make deb` in a bare Debian, which debootstrap makes in a temporary folder,
# uses them as a user would, and removes them again.  Needs root, and a mirror of Debian.
#
# Usage: scripts/test-deb.sh PG_CONFIG
# MIRROR=http://… is where packages come from, if not from Debian's own servers.
set -euo pipefail
cd "$(dirname "$0")/.."

# What is mounted here is not seen elsewhere, and goes with this process.
[ "${IN_NAMESPACE:-}" = yes ] || IN_NAMESPACE=yes exec unshare --mount scripts/test-deb.sh "$@"

major=$("$1" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
root=$(mktemp -d /var/tmp/vector_ext_deb.XXXXXX)
chmod 755 "$root"
log=$(mktemp)

finish() {
  status=$?
  [ $status = 0 ] || { echo "The packages failed the test; the log:" >&2; tail -n 30 "$log" >&2; }
  inside pg_ctlcluster "$major" main stop -m immediate >/dev/null 2>&1 || true
  umount -l "$root/proc" 2>/dev/null || true
  rm -rf --one-file-system "$root" || true
  rm -f "$log"
}
trap finish EXIT

inside() { DEBIAN_FRONTEND=noninteractive chroot "$root" "$@"; }
sql() { inside runuser -u postgres -- psql -X -A -t -v ON_ERROR_STOP=1 -d "$1" -c "$2"; }
expect() {
  [ "$2" = "$3" ] || { echo "$1: expected $3, not $2" >&2; exit 1; }
}

command -v debootstrap >/dev/null || apt-get install -y -qq --no-install-recommends debootstrap >"$log" 2>&1
debootstrap --variant=minbase "$suite" "$root" "${MIRROR:-http://deb.debian.org/debian}" >"$log" 2>&1
mount -t proc proc "$root/proc"
cp -L /etc/resolv.conf "$root/etc/resolv.conf"
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d" # starts no services in the folder
chmod 755 "$root/usr/sbin/policy-rc.d"
cp "${CARGO_TARGET_DIR:-target}"/deb/postgresql-"$major"-vector-ext*.deb "$root/tmp"

package=postgresql-$major-vector-ext
inside sh -c "apt-get install -y --no-install-recommends /tmp/${package}_*.deb" >>"$log" 2>&1
licence=$(grep '^ pgrx-pg-sys ' "$root/usr/share/doc/$package/copyright" | sed 's/.*: //')
expect "the licence of a patched crate" "$licence" MIT
inside pg_ctlcluster "$major" main start >>"$log" 2>&1
sql postgres "CREATE EXTENSION vector_ext;
  CREATE TABLE items (id int PRIMARY KEY, body text, v vector(2));
  INSERT INTO items SELECT i, 'row ' || i, ARRAY[i, 1] FROM generate_series(1, 100) AS i;
  CREATE INDEX ON items USING hnsw (v vector_l2_ops);
  CREATE INDEX ON items USING ivf (v vector_l2_ops);
  CREATE INDEX ON items USING inverted (body)" >>"$log" 2>&1
expect "the nearest row" "$(sql postgres "SELECT id FROM items ORDER BY v <-> '[7.2,1]' LIMIT 1")" 7
expect "the best text" "$(sql postgres "SELECT id FROM items ORDER BY body <@> '8' LIMIT 1")" 8

inside sh -c "apt-get install -y --no-install-recommends /tmp/$package-alias_*.deb" >>"$log" 2>&1
inside runuser -u postgres -- createdb app >>"$log" 2>&1
expect "a client of pgvector" "$(sql app "SET client_min_messages = error; CREATE EXTENSION vector;
  SELECT '[1,2]'::vector <-> '[1,4]'" | tail -n 1)" 2

inside pg_ctlcluster "$major" main stop >>"$log" 2>&1
inside apt-get purge -y "$package" "$package-alias" >>"$log" 2>&1
expect "what is left" "$(find "$root/usr" -name '*vector_ext*')" ""
echo "The packages for PostgreSQL $major install, work, and go away in a bare Debian $suite."
