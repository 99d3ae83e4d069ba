import asyncio

import asyncpg
from pgvector import HalfVector, SparseVector, Vector
from pgvector.asyncpg import register_vector


async def main():
    conn = await asyncpg.connect()
    await conn.execute("CREATE EXTENSION IF NOT EXISTS vector")
    await register_vector(conn)
    await conn.execute("CREATE TABLE items (id serial, v vector(3), h halfvec(3), b bit(3), s sparsevec(3))")
    for row in [1, 1, 1], [2, 2, 2], [1, 1, 2]:
        bits = asyncpg.BitString("".join("1" if x > 1 else "0" for x in row))
        values = (Vector(row), HalfVector(row), bits, SparseVector(row))
        await conn.execute("INSERT INTO items (v, h, b, s) VALUES ($1, $2, $3, $4)", *values)
    await conn.execute("CREATE INDEX ON items USING hnsw (v vector_l2_ops)")
    await conn.execute("SET hnsw.ef_search = 100")
    found = await conn.fetch("SELECT * FROM items ORDER BY v <-> $1 LIMIT 5", Vector([1, 1, 1]))
    assert [row["id"] for row in found] == [1, 3, 2], found
    assert found[1]["v"] == Vector([1, 1, 2]) and found[1]["h"] == HalfVector([1, 1, 2]), found
    assert found[1]["s"] == SparseVector([1, 1, 2]), found
    distance = await conn.fetchval("SELECT v <-> $1 FROM items WHERE id = 2", Vector([1, 2, 4]))
    assert distance == 5**0.5, distance
    # Types that pgvector has not, as text.
    assert await conn.fetchval("SELECT $1::text::i8vec::text", "[1,-2,3]") == "[1,-2,3]"
    await conn.close()


asyncio.run(main())
