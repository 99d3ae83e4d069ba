#!/bin/bash
# Packs what `make install` installs as Debian packages, into target/deb:
#   postgresql-NN-vector-ext        the extension
#   postgresql-NN-vector-ext-alias  the same under the name `vector`, for clients of pgvector
#
# Usage: scripts/deb.sh PG_CONFIG
set -euo pipefail
cd "$(dirname "$0")/.."

pg_config=$1
major=$("$pg_config" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')
version=$(sed -n "s/^default_version *= *'\(.*\)'/\1/p" vector_ext.control)
name=postgresql-$major-vector-ext
out=${CARGO_TARGET_DIR:-target}/deb
maintainer='vector_ext maintainers <maintainers@vector-ext.invalid>'
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}

# The C library that the extension was linked with is the oldest that it can be loaded with.
libc_needed() {
  objdump -T "$1" | grep -o 'GLIBC_[0-9.]*' | sed 's/GLIBC_//' | sort -V | tail -n 1
}

# The licence, and those of the libraries that are linked in.
copyright() {
  echo 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/'
  echo 'Upstream-Name: vector_ext'
  echo
  echo 'Files: *'
  sed -n 's/^Copyright (c) /Copyright: /p' LICENSE
  echo 'License: PostgreSQL'
  sed '1,/^Copyright/d' LICENSE | sed '/./!s/^/./; s/^/ /' | sed '1{/^ \.$/d}'
  echo
  echo 'Comment: The library contains these Rust crates, under the licences named:'
  PGRX_PG_CONFIG_PATH="$pg_config" cargo tree --package vector_ext --no-default-features --features "pg$major" \
    --edges normal --prefix none --format '{p}: {l}' |
    sed 's/ ([^)]*\/vendor\/[^)]*)/ (patched)/' | grep -v ' (/' |
    sed 's/ (proc-macro)//; s/ (\*)$//; s/^/ /' | LC_ALL=C sort -u
}

# package FOLDER NAME DEPENDS DESCRIPTION [FIELD …]
package() {
  local root=$1 name=$2 depends=$3 description=$4
  shift 4
  local doc=$root/usr/share/doc/$name
  install -d "$root/DEBIAN" "$doc"
  copyright >"$doc/copyright"
  printf 'vector-ext (%s) unstable; urgency=medium\n\n  * See CHANGELOG.md of the sources.\n\n -- %s  %s\n' \
    "$version" "$maintainer" "$(date -R -u -d "@$SOURCE_DATE_EPOCH")" | gzip -9n >"$doc/changelog.gz"
  {
    printf '%s\n' "Package: $name" "Source: vector-ext" "Version: $version" \
      "Architecture: $(dpkg --print-architecture)" "Maintainer: $maintainer" \
      'Section: database' 'Priority: optional' \
      "Installed-Size: $(du -sk --exclude=DEBIAN "$root" | cut -f1)" "Depends: $depends" "$@" "Description: $description"
  } >"$root/DEBIAN/control"
  (cd "$root" && find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
  chmod -R u=rwX,go=rX "$root"
  dpkg-deb --build --root-owner-group "$root" "$out" >/dev/null
  echo "$out/${name}_${version}_$(dpkg --print-architecture).deb"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$out"
rm -f "$out/$name"_*.deb "$out/$name-alias"_*.deb

make --no-print-directory -s install PG_CONFIG="$pg_config" DESTDIR="$work/extension" >/dev/null
library=$work/extension$("$pg_config" --pkglibdir)/vector_ext.so
strip --strip-unneeded "$library"
chmod 644 "$library"

# The alias alone: what it adds to the files of the extension.
extension=$("$pg_config" --sharedir)/extension
install -d "$work/alias$extension"
cp "$work/extension$extension/vector_ext.control" "$work/alias$extension"
make --no-print-directory -s install-alias PG_CONFIG="$pg_config" DESTDIR="$work/alias"
rm "$work/alias$extension/vector_ext.control"

package "$work/extension" "$name" "postgresql-$major, libc6 (>= $(libc_needed "$library")), libgcc-s1" \
  "vector types, indexes and search for PostgreSQL $major
 Types for vectors of 32-bit, 16-bit and 8-bit numbers, bits, and sparse
 vectors; index access methods hnsw, ivf and inverted for nearest-neighbor
 and full-text search; hybrid, filtered, grouped and range search in SQL." \
  'Recommends: ca-certificates'
package "$work/alias" "$name-alias" "$name (= $version)" \
  "vector_ext under the name of pgvector, for PostgreSQL $major
 With this package, CREATE EXTENSION vector creates vector_ext, for clients
 that expect the extension of that name." \
  "Provides: postgresql-$major-pgvector" "Conflicts: postgresql-$major-pgvector"
