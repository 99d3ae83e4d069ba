import json

import psycopg
from pgvector import Bit, HalfVector, SparseVector, Vector
from pgvector.psycopg import register_vector

conn = psycopg.connect(autocommit=True)
conn.execute("CREATE EXTENSION IF NOT EXISTS vector")
register_vector(conn)
conn.execute("CREATE TABLE items (id int, v vector(3), h halfvec(3), b bit(3), s sparsevec(3))")
rows = [[1, 1, 1], [2, 2, 2], [1, 1, 2]]
with conn.cursor().copy("COPY items FROM STDIN WITH (FORMAT BINARY)") as copy:
    copy.set_types(["int4", "vector", "halfvec", "bit", "sparsevec"])
    for i, row in enumerate(rows, 1):
        bits = Bit([x > 1 for x in row])
        copy.write_row((i, Vector(row), HalfVector(row), bits, SparseVector(row)))
conn.execute("CREATE INDEX ON items USING hnsw (v vector_l2_ops)")
conn.execute("CREATE INDEX ON items USING hnsw (h halfvec_cosine_ops) WITH (m = 8, ef_construction = 32)")

for column, operator, query, nearest in [
    ("v", "<->", Vector([1, 1, 1]), [1, 3, 2]),
    ("h", "<#>", HalfVector([1, 1, 1]), [2, 3, 1]),
    ("b", "<~>", Bit([False, False, False]), [1, 3, 2]),
    ("s", "<+>", SparseVector([2, 2, 2]), [2, 3, 1]),
]:
    for binary in (False, True):
        sql = f"SELECT id, {column} FROM items ORDER BY {column} {operator} %s LIMIT 5"
        found = conn.execute(sql, (query,), binary=binary).fetchall()
        assert [row[0] for row in found] == nearest, found
        assert column == "b" or all(type(row[1]) is type(query) for row in found), found

# Types that pgvector has not: their text is JSON, in and out.
for name in ("bf16vec", "i8vec"):
    conn.execute(f"ALTER TABLE items ADD x {name}(3)")
    conn.execute("UPDATE items SET x = %s WHERE id = 2", (json.dumps([2, -7, 1]),))
    sql = "SELECT x::text FROM items ORDER BY x <-> %s LIMIT 1"
    assert json.loads(conn.execute(sql, ("[1,1,1]",)).fetchone()[0]) == [2, -7, 1]
    conn.execute("ALTER TABLE items DROP x")

try:
    conn.execute("SELECT %s <-> '[1]'::vector", (Vector([1, 2]),))
except psycopg.errors.DataException as error:
    assert error.diag.message_primary == "different vector dimensions 2 and 1"
