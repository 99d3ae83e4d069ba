import assert from 'node:assert';
import pg from 'pg';
import {SparseVector} from 'pgvector';
import pgvector from 'pgvector/pg';

const client = new pg.Client();
await client.connect();
await client.query('CREATE EXTENSION IF NOT EXISTS vector');
await pgvector.registerTypes(client);
await client.query('CREATE TABLE items (id serial, v vector(3), h halfvec(3), b bit(3), s sparsevec(3))');
for (const row of [[1, 1, 1], [2, 2, 2], [1, 1, 2]]) {
  const bits = row.map((x) => (x > 1 ? 1 : 0)).join('');
  const values = [pgvector.toSql(row), pgvector.toSql(row), bits, new SparseVector(row)];
  await client.query('INSERT INTO items (v, h, b, s) VALUES ($1, $2, $3, $4)', values);
}
await client.query('CREATE INDEX ON items USING hnsw (v vector_l2_ops)');

const nearest = 'SELECT id, v, h, s FROM items ORDER BY v <-> $1 LIMIT 5';
const {rows} = await client.query(nearest, [pgvector.toSql([1, 1, 1])]);
assert.deepEqual(rows.map((row) => row.id), [1, 3, 2]);
assert.deepEqual([rows[1].v, rows[1].h, rows[1].s.toArray()], [[1, 1, 2], [1, 1, 2], [1, 1, 2]]);
const bits = await client.query("SELECT id FROM items ORDER BY b <~> '000'");
assert.deepEqual(bits.rows.map((row) => row.id), [1, 3, 2]);

// A type that pgvector has not: its text is JSON, in and out.
const i8vec = await client.query("SELECT 'i8vec'::regtype::oid AS oid");
client.setTypeParser(i8vec.rows[0].oid, JSON.parse);
const answer = await client.query('SELECT $1::i8vec AS x', [JSON.stringify([1, -2, 3])]);
assert.deepEqual(answer.rows[0].x, [1, -2, 3]);
await client.end();
