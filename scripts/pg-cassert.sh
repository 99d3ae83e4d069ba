#!/bin/bash
# Builds PostgreSQL with assertions, of the version that PG_CONFIG is, from the source package of
# this machine's distribution, and prints where its pg_config is.  It is made once, in
# target/cassert/VERSION, or under /var/tmp/vector_ext where the user postgres cannot read the
# checkout.  Root gets the missing Debian packages installed; nothing else of the system changes.
#
# Usage: scripts/pg-cassert.sh PG_CONFIG
set -euo pipefail
cd "$(dirname "$0")/.."

pg_config=$1
major=$("$pg_config" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')
package=postgresql-$major
version=$(dpkg-query --show --showformat '${Version}' "$package")
mkdir -p "${CARGO_TARGET_DIR:-target}"
folder=$(realpath "${CARGO_TARGET_DIR:-target}")
# Servers run as this user where we are root, as tests do.
if [ "$(id -u)" = 0 ] && ! runuser -u postgres -- test -x "$folder"; then folder=/var/tmp/vector_ext; fi
root=$folder/cassert/$version

# apt with lists of its own: the sources of the packages that the system's lists are of.
private_apt() {
  apt-get -qq -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$work/parts" \
    -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" -o APT::Sandbox::User=root "$@"
}

download() {
  mkdir -p "$work"/{parts,lists/partial,cache/archives/partial,src}
  local file
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
    [ -e "$file" ] || continue
    sed -e 's/^deb /deb-src /' -e 's/^Types:.*/Types: deb-src/' "$file" >"$work/parts/$(basename "$file" .list).${file##*.}"
  done
  # Some archives have no sources.  Whether what matters is there, the next command tells.
  private_apt update || true
  (cd "$work/src" && private_apt source --download-only "$package=$version")
}

make_postgres() {
  mkdir "$work/build"
  tar -C "$work/build" --strip-components=1 -xf "$work"/src/*.orig.tar.*
  cd "$work/build"
  # Tests use ICU's collations; nobody types into this psql.
  ./configure --prefix="$root" --enable-cassert --enable-debug --with-icu --without-readline \
    --without-zlib CFLAGS=-O1
  # PostgreSQL makes its generated headers only where no other make runs this one.
  unset MAKELEVEL MAKEFLAGS MFLAGS
  make -j"$(nproc)" world-bin
  make install-world-bin
}

need() {
  local missing=() package
  for package in bison bzip2 flex make perl pkg-config; do
    command -v "$package" >/dev/null || missing+=("$package")
  done
  [ -e /usr/include/unicode/ucol.h ] || missing+=(libicu-dev)
  [ ${#missing[@]} -gt 0 ] || return 0
  [ "$(id -u)" = 0 ] || { echo "Install ${missing[*]} and run this again." >&2; exit 1; }
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
}

if [ ! -x "$root/bin/pg_config" ]; then
  echo "Building PostgreSQL $version with assertions (once; some minutes)" >&2
  work=$(mktemp -d)
  trap 'tail -n 20 "$work/log" >&2; rm -rf "$work"' EXIT
  (need; download; make_postgres) >"$work/log" 2>&1
  trap - EXIT
  rm -rf "$work"
fi
echo "$root/bin/pg_config"
