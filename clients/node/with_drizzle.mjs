import assert from 'node:assert';
import {cosineDistance, hammingDistance, l2Distance, sql} from 'drizzle-orm';
import {drizzle} from 'drizzle-orm/node-postgres';
import {bit, customType, halfvec, pgTable, serial, sparsevec, vector} from 'drizzle-orm/pg-core';
import pg from 'pg';

// A type that pgvector has not: its text is JSON, in and out.
const bf16vec = customType({
  dataType: ({dimensions}) => `bf16vec(${dimensions})`,
  toDriver: JSON.stringify,
  fromDriver: JSON.parse,
});

const items = pgTable('items', {
  id: serial('id').primaryKey(),
  v: vector('v', {dimensions: 3}),
  h: halfvec('h', {dimensions: 3}),
  b: bit('b', {dimensions: 3}),
  s: sparsevec('s', {dimensions: 3}),
  x: bf16vec('x', {dimensions: 3}),
});

const client = new pg.Client();
await client.connect();
const db = drizzle(client);
await db.execute(sql`CREATE EXTENSION IF NOT EXISTS vector`);
await db.execute(sql`CREATE TABLE items (
  id serial PRIMARY KEY, v vector(3), h halfvec(3), b bit(3), s sparsevec(3), x bf16vec(3))`);
await db.execute(sql`CREATE INDEX ON items USING hnsw (v vector_l2_ops)`);
await db.insert(items).values([
  {v: [1, 1, 1], h: [1, 1, 1], b: '000', s: '{1:1,2:1,3:1}/3', x: [1, 1, 1]},
  {v: [2, 2, 2], h: [2, 2, 2], b: '111', s: '{1:2,2:2,3:2}/3', x: [2, 2, 2]},
  {v: [1, 1, 2], h: [1, 1, 2], b: '001', s: '{1:1,2:1,3:2}/3', x: [1, 1, 2]},
]);

const ordered = (distance) => db.select().from(items).orderBy(distance).limit(5);
const found = await ordered(l2Distance(items.v, [1, 1, 1]));
assert.deepEqual(found.map((item) => item.id), [1, 3, 2]);
assert.deepEqual([found[1].v, found[1].h, found[1].x], [[1, 1, 2], [1, 1, 2], [1, 1, 2]]);
assert.equal((await ordered(cosineDistance(items.h, [1, 1, 2])))[0].id, 3);
assert.deepEqual((await ordered(hammingDistance(items.b, '000'))).map((item) => item.id), [1, 3, 2]);
assert.equal((await ordered(l2Distance(items.x, [2, 2, 2])))[0].id, 2);
await client.end();
