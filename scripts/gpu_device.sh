#!/bin/bash
# Checks and measures the GPU code on a machine with a GPU that has neither network nor PostgreSQL.
#
#   scripts/gpu_device.sh pack FILE     here: builds, and packs PostgreSQL, the extension, and gpu_check
#   scripts/gpu_device.sh run FILE      there, as root: unpacks to / and runs all within eight minutes
#
# PG_CONFIG names the PostgreSQL that is packed, which is unpacked to the same place there. ROWS
# (default 500000) vectors of DIMS (default 768) are indexed by the CPU and by the GPU; the recall of both
# is shown. Exit status: that of the first check that fails.
set -euo pipefail

pack() {
  local file=$1 pg_config=${PG_CONFIG:?names the pg_config of the PostgreSQL to pack}
  cd "$(dirname "$0")/.."
  local target=${CARGO_TARGET_DIR:-target} bin share lib stage
  bin=$("$pg_config" --bindir) share=$("$pg_config" --sharedir) lib=$("$pg_config" --pkglibdir)
  make install PG_CONFIG="$pg_config"
  cargo build --quiet --release --package gpu --bin gpu_check
  stage=$(mktemp -d)
  trap 'rm -rf "$stage"' EXIT
  mkdir -p "$stage/opt/gpu_check/closure"
  cp "$target/release/gpu_check" "$stage/opt/gpu_check/"
  # Libraries that these need, but those of glibc: a machine runs its own.
  ldd "$bin/postgres" "$bin/psql" "$lib/vector_ext.so" "$lib/libpqwalreceiver.so" |
    sed -n 's/.* => \(\/[^ ]*\) .*/\1/p' | sort -u |
    grep -Ev '/(ld-linux|libc|libm|libdl|librt|libpthread|libresolv)[-.]' |
    xargs -I{} cp -L {} "$stage/opt/gpu_check/closure/"
  printf 'bin=%s\n' "$bin" >"$stage/opt/gpu_check/paths"
  tar --create --zstd --file "$file" --exclude bitcode --exclude 'llvmjit*' \
    --directory "$stage" opt --directory / "${bin#/}" "${share#/}" "${lib#/}"
  ls -l "$file"
}

run() {
  tar --extract --zstd --file "$1" --directory /
  # shellcheck source=/dev/null
  . /opt/gpu_check/paths
  nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader
  echo "== small sets under the checker of memory"
  if command -v compute-sanitizer >/dev/null; then
    timeout 60 compute-sanitizer --error-exitcode 1 /opt/gpu_check/gpu_check smallest
    timeout 60 compute-sanitizer --tool racecheck --error-exitcode 1 /opt/gpu_check/gpu_check smallest
  fi
  echo "== against the CPU, and rates"
  timeout 180 /opt/gpu_check/gpu_check
  echo "== a server"
  local data=/tmp/gpu_device.data
  rm -rf "$data" && mkdir -m 700 "$data" && chown 65534:65534 "$data"
  serve initdb --pgdata="$data" --username=postgres --auth=trust --no-sync >/dev/null
  serve pg_ctl --pgdata="$data" --silent --wait --log="$data/log" start --options="-k /tmp -h '' \
    -c fsync=off -c shared_buffers=8GB -c maintenance_work_mem=32GB -c max_wal_size=64GB \
    -c max_worker_processes=64 -c max_parallel_workers=32 -c max_parallel_maintenance_workers=16"
  trap "serve pg_ctl --pgdata=$data --silent --mode=immediate stop" EXIT
  fill
  build off "hnsw (embedding vector_l2_ops)"
  build on "hnsw (embedding vector_l2_ops)"
  build off "ivf (embedding vector_l2_ops)"
  build on "ivf (embedding vector_l2_ops)"
}

# Runs a program of PostgreSQL as a user that is not root.
serve() {
  LD_LIBRARY_PATH=/opt/gpu_check/closure${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} \
    setpriv --reuid=65534 --regid=65534 --clear-groups "$bin/$1" "${@:2}"
}

sql() { serve psql --host=/tmp --username=postgres --no-psqlrc --quiet --set=ON_ERROR_STOP=1 "$@"; }

# Vectors around 1,000 centers, written by 16 sessions.
fill() {
  local rows=${ROWS:-500000} dims=${DIMS:-768} session sessions=()
  sql --command "CREATE EXTENSION vector_ext" --command "
    CREATE UNLOGGED TABLE centers AS SELECT c, array_agg(random() - 0.5) AS v
    FROM generate_series(1, 1000) AS c, generate_series(1, $dims) GROUP BY c" --command "
    CREATE UNLOGGED TABLE items (embedding vector($dims))" --command "
    ALTER TABLE items ALTER embedding SET STORAGE PLAIN"
  for session in $(seq 16); do
    sql --command "INSERT INTO items
      SELECT (SELECT array_agg(x + 0.6 * (random() - 0.5)) FROM unnest(v) AS x)::vector
      FROM generate_series(1, $rows / 16) AS i JOIN centers ON c = 1 + (i * 7919 + $session) % 1000" &
    sessions+=($!)
  done
  for session in "${sessions[@]}"; do wait "$session"; done
}

# Builds an index with gpu_build = $1, and shows its recall.
build() {
  echo "== $2, gpu_build = $1"
  timeout 240 bash -c "$(declare -f serve sql); bin=$bin; sql --command '\\timing on' \
    --command 'SET vector_ext.gpu_build = $1' --command 'CREATE INDEX built ON items USING $2' \
    --command \"SELECT * FROM vector_index_recall('built')\" --command 'DROP INDEX built'"
}

case "${1:-}" in
  pack | run) "$1" "${2:?names the file}" ;;
  *) sed -n '2,/^set/p' "$0" | sed '$d; s/^# \{0,1\}//' && exit 2 ;;
esac
