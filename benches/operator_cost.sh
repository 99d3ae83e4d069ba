#!/bin/sh
# Cost of one call of each distance operator, beside pgvector's.
#
#   PGHOST=/tmp/socket PGPORT=5432 PGUSER=postgres benches/operator_cost.sh [DIMS] [ROUNDS]
#
# Needs a server on Linux that has both extensions installed, and a superuser. Makes a database for
# each, and drops it at the end. A round runs `SELECT sum(a.v <op> b.v)` over 1000 x 1000 pairs of
# vectors in plain storage, first with one extension, then with the other, and the same query with
# a sum of two floats, which is subtracted. What counts is the CPU time that the kernel charges to
# the backend, the least of all rounds, so that a busy machine does little harm.
set -eu
dims=${1:-768}
rounds=${2:-9}
systems="vector_ext vector"
operators="<-> <#> <=> <+>"

sql() { # DATABASE [psql options]: reads commands from standard input
	PGDATABASE=$1
	export PGDATABASE
	shift
	psql --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 "$@"
}

cleanup() {
	for system in $systems; do
		echo "DROP DATABASE IF EXISTS operator_cost_$system;" | sql postgres 2>/dev/null
	done
}
trap cleanup EXIT

for system in $systems; do
	echo "CREATE DATABASE operator_cost_$system;" | sql postgres
	sql "operator_cost_$system" <<-END
		CREATE EXTENSION $system;
		SELECT setseed(0.5) \g /dev/null
		CREATE TABLE t (v vector($dims), f float8);
		ALTER TABLE t ALTER v SET STORAGE plain;
		INSERT INTO t
			SELECT array_agg(random() - 0.5)::vector($dims), random()
			FROM generate_series(1, 1000) AS row, generate_series(1, $dims) GROUP BY row;
		VACUUM ANALYZE t;
		CREATE FUNCTION cpu_ns() RETURNS bigint VOLATILE LANGUAGE sql
			AS \$\$ SELECT split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::bigint \$\$;
	END
done

measure() { # SYSTEM EXPRESSION: nanoseconds of a million evaluations
	sql "operator_cost_$1" <<-END
		SET jit = off;
		SET max_parallel_workers_per_gather = 0;
		SET work_mem = '256MB';
		SELECT sum($2) FROM t AS a, t AS b \g /dev/null
		SELECT cpu_ns() AS before \gset
		SELECT sum($2) FROM t AS a, t AS b \g /dev/null
		SELECT cpu_ns() - :before;
	END
}

results=$(
	for round in $(seq "$rounds"); do
		for system in $systems; do
			echo "$system loop $(measure "$system" "a.f + b.f")"
			for operator in $operators; do
				echo "$system $operator $(measure "$system" "a.v $operator b.v")"
			done
		done
	done
)
echo "$results" | awk -v dims="$dims" -v operators="$operators" '
	{ key = $1 " " $2; if (!(key in least) || $3 < least[key]) least[key] = $3 }
	END {
		printf "%d dimensions, CPU nanoseconds a call without the loop\n", dims
		printf "operator  vector_ext  pgvector\n"
		n = split(operators, list)
		for (i = 1; i <= n; i++) {
			ours = (least["vector_ext " list[i]] - least["vector_ext loop"]) / 1e6
			theirs = (least["vector " list[i]] - least["vector loop"]) / 1e6
			printf "%-8s  %10.1f  %8.1f\n", list[i], ours, theirs
		}
		printf "loop      %10.1f  %8.1f\n", least["vector_ext loop"] / 1e6, least["vector loop"] / 1e6
	}'
