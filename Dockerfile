# The official image of PostgreSQL with vector_ext:
#   docker build --build-arg PG=15 --tag postgres-vector_ext .
# Its steps are those of `make deb` and `make test-deb`, which run them in a plain Debian.
ARG PG=15
ARG SUITE=bookworm

FROM postgres:${PG}-${SUITE} AS build
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates curl make "postgresql-server-dev-$PG_MAJOR"
RUN curl -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal
COPY . /src
RUN make -C /src deb PG_CONFIG="/usr/lib/postgresql/$PG_MAJOR/bin/pg_config"

FROM postgres:${PG}-${SUITE}
COPY --from=build /src/target/deb/*.deb /tmp/
RUN apt-get update && apt-get install -y --no-install-recommends /tmp/*.deb && \
    rm -rf /tmp/*.deb /var/lib/apt/lists/*
