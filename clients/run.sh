#!/bin/bash
# Runs the published clients of pgvector against vector_ext, each in a fresh database; `make
# test-clients` starts it with a server.  Packages of Python, JavaScript, and Rust come from the
# registries, in the versions that this folder pins, and lie in target/clients; those of other languages
# are Debian's, and what is not installed is skipped.
#
# Usage: clients/run.sh [NAME …]   NAME is part of a script's name, as in `sqlalchemy`; all by default
set -uo pipefail
cd "$(dirname "$0")"

packages=$(realpath -m "${CARGO_TARGET_DIR:-../target}")/clients
export PATH=$PATH:/usr/sbin # pgbouncer
passed=0
failed=0
skipped=0

wanted() {
  [ ${#names[@]} = 0 ] && return
  for name in "${names[@]}"; do [[ $1 == *$name* ]] && return; done
  return 1
}

# have LABEL PACKAGE FILE: whether FILE, a program or an absolute path, is there; PACKAGE is Debian's that has it
have() {
  type -P "$3" >/dev/null || [[ $3 == /* && -e $3 ]] && return
  echo "skipped $1: needs $2"
  skipped=$((skipped + 1))
  return 1
}

# run LABEL COMMAND …: the command with a database of its own
run() {
  local label=$1 database
  shift
  database=client_$((passed + failed))
  "$PG_BINDIR/psql" -qc "CREATE DATABASE $database" postgres
  # So that searches of a few rows use the index.
  "$PG_BINDIR/psql" -qc "ALTER DATABASE $database SET enable_seqscan = off" postgres
  if PGDATABASE=$database "$@"; then
    echo "ok      $label"
    passed=$((passed + 1))
  else
    echo "FAILED  $label"
    failed=$((failed + 1))
  fi
}

# A virtual environment for each folder of Python scripts: some frameworks want older clients.
python() {
  local venv=$packages/$1 script
  for script in "$1"/with_*.py; do
    wanted "$script" || continue
    [[ $script != *pgbouncer* ]] || have "$script" pgbouncer pgbouncer || continue
    if ! cmp -s "$1/requirements.txt" "$venv/requirements.txt"; then
      python3 -m venv --clear "$venv" && "$venv/bin/pip" install -q -r "$1/requirements.txt" &&
        cp "$1/requirements.txt" "$venv/"
    fi
    run "$script" "$venv/bin/python" "$script"
  done
}

node() {
  local script
  for script in node/with_*.mjs; do
    wanted "$script" || continue
    mkdir -p "$packages/node"
    if ! cmp -s node/package-lock.json "$packages/node/package-lock.json"; then
      cp node/package.json node/package-lock.json "$packages/node/" && (cd "$packages/node" && npm ci --silent)
    fi
    # Modules are looked for beside the script.
    cp "$script" "$packages/node/"
    run "$script" command node "$packages/$script"
  done
}

rust() {
  local script name
  for script in rust/src/bin/with_*.rs; do
    wanted "$script" || continue
    name=$(basename "$script" .rs)
    run "$script" cargo run -q --locked --manifest-path rust/Cargo.toml --target-dir "$packages/rust" --bin "$name"
  done
}

go() {
  local script=go/with_pgx.go code=/usr/share/gocode program=$packages/go/with_pgx
  wanted $script || return 0
  have $script golang-go go && have $script golang-github-jackc-pgx-v4-dev $code/src/github.com/jackc/pgx/v4 || return 0
  GO111MODULE=off GOPATH=$code GOCACHE=$packages/go/cache command go build -o "$program" $script
  run $script "$program"
}

java() {
  local script=java/WithJdbc.java jar=/usr/share/java/postgresql.jar
  wanted $script || return 0
  have $script default-jdk-headless javac && have $script libpostgresql-jdbc-java $jar || return 0
  javac -cp $jar -d "$packages/java" java/*.java
  run $script command java -cp "$jar:$packages/java" WithJdbc
}

ruby() {
  local script=ruby/with_pg.rb
  wanted $script || return 0
  have $script ruby-pg ruby && have $script ruby-pg /usr/share/doc/ruby-pg || return 0
  run $script command ruby $script
}

names=("$@")
python python
python frameworks
node
rust
go
java
ruby
echo "$passed clients passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
