# The commands a newcomer needs.  `make` alone lists them.
#
#   PG_CONFIG=/path/to/pg_config   the PostgreSQL to build for (default: the newest Debian one)
#   PG=17                          test: with this major, in a folder if this machine has it not
#   SUDO=sudo                      lets an ordinary user install into PostgreSQL's folders
#   DESTDIR=/some/root             installs below another root, for packagers
#   CLIENTS="knex django"          test-clients: only those
#   PGVECTOR=/path/to/pgvector     pgvector-suite: whose tests
#   BENCH_ARGS="--data DIR"        what to measure
#   CASSERT_ARGS=hnsw_plans::      test-cassert: only that
#   ROWS=1000000                   demo-shards: how many, instead of the demo's sentences
#   PROFILE=dev                    install: built faster, with assertions

PG_CONFIG ?= $(shell ls /usr/lib/postgresql/*/bin/pg_config 2>/dev/null | sort -V | tail -n 1 | grep . || command -v pg_config)
SUDO      ?=
PROFILE   ?= release
TARGET    := $(or $(CARGO_TARGET_DIR),target)

export PATH := $(PATH):$(HOME)/.cargo/bin

# Expanded when a recipe runs, that is after `prepare` may have installed PostgreSQL.
PG_MAJOR   = $(shell $(PG_CONFIG) --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')
PKGLIBDIR  = $(DESTDIR)$(shell $(PG_CONFIG) --pkglibdir)
EXTENSIONS = $(DESTDIR)$(shell $(PG_CONFIG) --sharedir)/extension
# The first version's SQL is the script of CREATE EXTENSION, which goes on with the later versions' updates.
VERSIONS  := $(shell ls sql | sort -V)
FIRST     := $(firstword $(VERSIONS))
LATER     := $(filter-out $(FIRST),$(VERSIONS))
# The alias, and the script that makes vector_ext out of pgvector, have all files of a version but the
# first, which says what the script is for, and keeps vector_ext and others apart.
SQL        = $(filter-out %/00_prelude.sql,$(sort $(wildcard sql/$(1)/*.sql)))
SCRIPTS    = $(TARGET)/scripts
# The alias has a version for each of VERSIONS: the first is that of the pgvector with the same SQL.
ALIASES    = 0.8.6 0.8.7
# PG_CONFIG for the test harness, PGRX_PG_CONFIG_PATH for the bindings: cargo-pgrx is not needed.
WITH_PG    = PG_CONFIG=$(PG_CONFIG) PGRX_PG_CONFIG_PATH=$(PG_CONFIG)
CARGO      = $(WITH_PG) cargo
FEATURES   = --no-default-features --features vector_ext/pg$(PG_MAJOR)

.PHONY: help prepare build install install-alias uninstall demo demo-psql demo-stop demo-shards deb test-deb test test-cassert test-aarch64 test-long test-upgrade test-pg-upgrade fuzz test-clients test-models pgvector-suite check lint bench bench-any-data bench-tables lint-deps
.DEFAULT_GOAL := help

help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/\1@\2/p' $(MAKEFILE_LIST) | awk -F@ '{ printf "  make %-15s %s\n", $$1, $$2 }'

demo: install ## load real sentences, build an HNSW index, search (a private server, stopped at the end); SENTENCE="…" asks your own
	@$(CARGO) run --quiet --package demo

demo-psql: install ## the same, then leave the server running and open psql in it
	@$(CARGO) run --quiet --package demo -- psql

demo-stop: ## stop the server that demo-psql left, and remove it
	@$(CARGO) run --quiet --package demo -- stop

demo-shards: install ## a table on one, two, and three servers; ROWS=1000000 for generated rows
	@$(CARGO) run --quiet --package demo -- shards $(ROWS)

ifeq ($(PG),)
test: install ## all tests, in private servers; ends with `N passed, M failed`
	@$(WITH_PG) scripts/test.sh --workspace $(FEATURES)
else
test:
	@scripts/pgchroot.sh $(PG) make --no-print-directory test PG=
endif

# A dev build: with the library's own assertions, beside those of PostgreSQL.
test-cassert: ## the server tests with a PostgreSQL that has assertions; builds it the first time
	@pg_config=$$(scripts/pg-cassert.sh "$(PG_CONFIG)") && export CARGO_TARGET_DIR="$(TARGET)/cassert" && \
	  $(MAKE) --no-print-directory install PROFILE=dev PG_CONFIG="$$pg_config" && \
	  PG_CONFIG="$$pg_config" PGRX_PG_CONFIG_PATH="$$pg_config" scripts/test.sh --package pg_test $(CASSERT_ARGS)

test-long: install ## random statements by sqlsmith and composed searches, each for SQLSMITH_SECONDS=600
	@$(CARGO) run --quiet --package pg_test --bin with_server -- scripts/sqlsmith.sh
	@FUZZ_SECONDS=$${SQLSMITH_SECONDS:-600} FUZZ_SEED=$${FUZZ_SEED:-$$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')} \
	  $(CARGO) test --package pg_test composed_queries:: -- --nocapture

test-upgrade: install ## indexes that released versions made, whose libraries it builds
	@$(WITH_PG) scripts/test-upgrade.sh

test-pg-upgrade: ## pg_upgrade of indexes of every kind from PostgreSQL 15 to 17 to 18; as root
	@scripts/test-pg-upgrade.sh

fuzz: install ## random input and damaged pages, each for FUZZ_SECONDS=300, from FUZZ_SEED (else drawn)
	@export FUZZ_SECONDS=$${FUZZ_SECONDS:-300} FUZZ_SEED=$${FUZZ_SEED:-$$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')} && \
	  $(CARGO) test --package graph --test all fuzz:: -- --nocapture && $(CARGO) test --package pg_test fuzz:: -- --nocapture

test-aarch64: prepare ## the kernels for AArch64, in an emulator (Debian: qemu-user-static)
	@$(WITH_PG) scripts/test-aarch64.sh

test-clients: install ## published clients of pgvector, from their registries; CLIENTS="django knex" for some
	@$(CARGO) run --quiet --package pg_test --bin with_server -- clients/run.sh $(CLIENTS)

test-models: install ## embeddings of infinity, a server from PyPI: 6 GB to download the first time
	@$(CARGO) run --quiet --package pg_test --bin with_server -- scripts/models/run.sh

pgvector-suite: install ## the SQL and TAP tests of the checkout PGVECTOR of pgvector: where we differ
	@$(CARGO) run --quiet --package pg_test --bin with_server -- scripts/pgvector-suite.sh "$(PGVECTOR)"

check: lint ## format, lints, the tests that need no server: before every commit
	@$(WITH_PG) scripts/test.sh --workspace --exclude pg_test $(FEATURES)

lint: prepare ## format and lints alone
	@cargo fmt --all --check
	@$(CARGO) clippy --workspace --all-targets $(FEATURES) -- -D warnings

install: build ## build and install into the PostgreSQL of PG_CONFIG
	@test -w "$(PKGLIBDIR)" || test -n "$(SUDO)$(DESTDIR)" || \
	  { echo "$(PKGLIBDIR) is not yours to write: run make $(MAKECMDGOALS) SUDO=sudo"; exit 1; }
	@rm -rf $(SCRIPTS) && mkdir -p $(SCRIPTS)
	@cat sql/$(FIRST)/*.sql > $(SCRIPTS)/vector_ext--$(FIRST).sql
	@from=$(FIRST); for to in $(LATER); do cat sql/$$to/*.sql > $(SCRIPTS)/vector_ext--$$from--$$to.sql; from=$$to; done
	@cat from_pgvector/begin.sql $(call SQL,$(FIRST)) from_pgvector/end.sql > $(SCRIPTS)/vector_ext--pgvector--$(FIRST).sql
	@$(SUDO) install -d "$(PKGLIBDIR)" "$(EXTENSIONS)"
	$(SUDO) install -m 755 $(TARGET)/$(PROFILE:dev=debug)/libvector_ext.so "$(PKGLIBDIR)/vector_ext.so"
	$(SUDO) install -m 644 vector_ext.control $(SCRIPTS)/*.sql "$(EXTENSIONS)"

install-alias: ## also an extension named `vector`, for clients of pgvector; after install
	@test -e "$(EXTENSIONS)/vector_ext.control" || \
	  { echo "vector_ext is not installed in $(EXTENSIONS): run make install first" >&2; exit 1; }
	@! grep -L vector_ext "$(EXTENSIONS)"/vector.control "$(EXTENSIONS)"/vector--*.sql 2>/dev/null | grep -q . || \
	  { echo "pgvector is installed in $(EXTENSIONS): remove it first, see docs/migrate-from-pgvector.md" >&2; exit 1; }
	$(SUDO) install -m 644 alias/vector.control "$(EXTENSIONS)"
	@cat alias/begin.sql alias/create.sql $(call SQL,$(FIRST)) alias/end.sql | \
	  $(SUDO) install -m 644 /dev/stdin "$(EXTENSIONS)/vector--$(firstword $(ALIASES)).sql"
	@set -- $(ALIASES); $(foreach version,$(LATER),cat alias/begin.sql alias/update.sql $(call SQL,$(version)) alias/end.sql | \
	  $(SUDO) install -m 644 /dev/stdin "$(EXTENSIONS)/vector--$$1--$$2.sql" || exit 1; shift;)

uninstall: ## remove what install and install-alias put there
	$(SUDO) rm -f "$(PKGLIBDIR)/vector_ext.so" "$(EXTENSIONS)/vector_ext.control"
	$(SUDO) rm -f "$(EXTENSIONS)"/vector_ext--*.sql
	@grep -ls vector_ext "$(EXTENSIONS)"/vector.control "$(EXTENSIONS)"/vector--*.sql | $(SUDO) xargs -rt rm -f

deb: prepare ## Debian packages of the extension and of its alias, in target/deb
	@scripts/deb.sh "$(PG_CONFIG)"

test-deb: deb ## install, use, and remove them in a bare Debian; as root, some 200 MB to download
	@scripts/test-deb.sh "$(PG_CONFIG)"

bench: install ## measure against other extensions; options in BENCH_ARGS, see benches/README.md
	@$(CARGO) run --quiet --release --package benches -- search $(BENCH_ARGS)

bench-tables: install ## sizes, memory, and planning times with TABLES=10000 tables and PARTITIONS=1000
	@$(CARGO) run --quiet --package pg_test --bin with_server -- scripts/many-tables.sh $(TABLES) $(PARTITIONS)

bench-any-data: install ## recall on data unlike embeddings; options in BENCH_ARGS
	@$(CARGO) run --quiet --release --package benches -- any-data $(BENCH_ARGS)

lint-deps: prepare ## licences and sources of the dependencies, by cargo-deny
	@cargo deny --version >/dev/null 2>&1 || cargo install --locked cargo-deny
	@cargo deny check licenses bans sources

build: prepare
	@$(CARGO) build --profile $(PROFILE) --package vector_ext $(FEATURES)

# Debian packages and the Rust toolchain: installs what is missing when it may, else says how.
prepare:
	@scripts/prepare.sh "$(PG_CONFIG)"
