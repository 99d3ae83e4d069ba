"""BM25 by pg_textsearch (PostgreSQL 17 and later) beside ours, on one server that has both.

    python pg_textsearch.py DIR CONNINFO        (pip install psycopg[binary])

DIR has docs.tsv.gz and queries.tsv.gz. The databases bm25_ours and bm25_theirs are made anew. Both take
their tokens from PostgreSQL's text search configuration `english`.
"""
import gzip
import math
import re
import sys
import time

import psycopg

ROUNDS, K = 6, 10
FRESH = (0, 1_000, 10_000, 50_000)
SYSTEMS = {
    "ours": ("vector_ext", "USING inverted (text) WITH (analyzer = 'pg_catalog.english')"),
    "theirs": ("pg_textsearch", "USING bm25 (text) WITH (text_config = 'english')"),
}
SEARCH = f"SELECT id FROM docs ORDER BY text <@> %s LIMIT {K}"


def rows(name):
    """Rows of a table, without its head."""
    lines = gzip.open(f"{sys.argv[1]}/{name}.tsv.gz", "rt", encoding="utf-8").read().splitlines()
    return [line.split("\t") for line in lines[1:]]


def connect(database):
    # Texts stand in the statements: pg_textsearch takes no parameters here.
    info = psycopg.conninfo.make_conninfo(sys.argv[2], dbname=database)
    return psycopg.connect(info, autocommit=True, cursor_factory=psycopg.ClientCursor)


def load(system, texts):
    extension, index = SYSTEMS[system]
    server = connect("postgres")
    server.execute(f"DROP DATABASE IF EXISTS bm25_{system}")
    server.execute(f"CREATE DATABASE bm25_{system}")
    database = connect(f"bm25_{system}")
    database.execute(f"CREATE EXTENSION {extension}")
    database.execute("CREATE TABLE docs (id int PRIMARY KEY, text text)")
    with database.cursor().copy("COPY docs FROM STDIN") as copy:
        for number, text in enumerate(texts):
            copy.write_row((number, text))
    database.execute("VACUUM ANALYZE docs")
    begin = time.monotonic()
    database.execute(f"CREATE INDEX docs_text ON docs {index}")
    seconds = time.monotonic() - begin
    size = database.execute("SELECT pg_relation_size('docs_text')").fetchone()[0]
    print(f"{system:8} built in {seconds:.1f} s, {size / 1e6:.1f} MB")
    return database


def gain(database, queries):
    """nDCG@10, where one text is relevant for each query."""
    total = 0
    for query in queries:
        found = [row[0] for row in database.execute(SEARCH, [query[3]])]
        total += 1 / math.log2(found.index(int(query[1])) + 2) if int(query[1]) in found else 0
    return total / len(queries)


def asked(database, queries):
    """Microseconds of a query, as the client sees it."""
    begin = time.perf_counter()
    for query in queries:
        database.execute(SEARCH, [query[3]]).fetchall()
    return (time.perf_counter() - begin) / len(queries) * 1e6


def explained(database, queries):
    """Microseconds of planning and of execution, and pages, of a query."""
    names = ("Planning Time: ([0-9.]+)", "Execution Time: ([0-9.]+)", "Buffers: shared hit=([0-9]+)")
    total = [0.0, 0.0, 0.0]
    for query in queries:
        plan = database.execute(f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) {SEARCH}", [query[3]])
        plan = "\n".join(row[0] for row in plan)
        for part, name in enumerate(names):
            total[part] += float(re.search(name, plan)[1])
    return [total[0] / len(queries) * 1e3, total[1] / len(queries) * 1e3, total[2] / len(queries)]


def main():
    texts, queries = [row[-1] for row in rows("docs")], rows("queries")
    databases = {system: load(system, texts) for system in SYSTEMS}
    for system, database in databases.items():
        print(f"{system:8} nDCG@10 {gain(database, queries):.4f}")
    print(f"{'system':8} {'new rows':>8} {'insert us':>9} {'query us':>8} {'plan us':>8} {'run us':>8} {'pages':>6}")
    inserted = 0
    for fresh in FRESH:
        new = range(inserted, fresh)
        took = {}
        for system, database in databases.items():
            begin = time.perf_counter()
            for number in new:
                row = (len(texts) + number, texts[number])
                database.execute("INSERT INTO docs VALUES (%s, %s)", row)
            took[system] = (time.perf_counter() - begin) / max(len(new), 1) * 1e6
        inserted = fresh
        best = {system: [math.inf] * 4 for system in databases}
        # In turns, so that other work on the machine strikes both.
        for _ in range(ROUNDS):
            for system, database in databases.items():
                now = [asked(database, queries), *explained(database, queries)]
                best[system] = [min(pair) for pair in zip(best[system], now)]
        for system in databases:
            client, plan, run, pages = best[system]
            print(f"{system:8} {fresh:8} {took[system]:9.0f} {client:8.0f} {plan:8.0f} {run:8.0f} {pages:6.0f}")


if __name__ == "__main__":
    main()
