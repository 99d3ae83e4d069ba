import psycopg2
from pgvector import HalfVector, SparseVector, Vector
from pgvector.psycopg2 import register_vector

conn = psycopg2.connect("")
cur = conn.cursor()
cur.execute("CREATE EXTENSION IF NOT EXISTS vector")
register_vector(conn, arrays=True)
cur.execute("CREATE TABLE items (id serial, v vector(3), h halfvec(3), s sparsevec(3), a vector(3)[])")
for row in [1, 1, 1], [2, 2, 2], [1, 1, 2]:
    values = (Vector(row), HalfVector(row), SparseVector(row), [Vector(row)])
    cur.execute("INSERT INTO items (v, h, s, a) VALUES (%s, %s, %s, %s::vector[])", values)
cur.execute("CREATE INDEX ON items USING hnsw (v vector_l2_ops)")
cur.execute("SELECT id, v, h, s, a FROM items ORDER BY v <-> %s LIMIT 5", (Vector([1, 1, 1]),))
found = cur.fetchall()
assert [row[0] for row in found] == [1, 3, 2], found
assert found[1][1:] == (Vector([1, 1, 2]), HalfVector([1, 1, 2]), SparseVector([1, 1, 2]), [Vector([1, 1, 2])]), found
