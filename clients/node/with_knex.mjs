import assert from 'node:assert';
import Knex from 'knex';
import {SparseVector} from 'pgvector';
import pgvector from 'pgvector/knex';

const {PGHOST: host, PGUSER: user, PGDATABASE: database} = process.env;
const knex = Knex({client: 'pg', connection: {host, user, database}});
await knex.schema.createExtensionIfNotExists('vector');
await knex.schema.createTable('items', (table) => {
  table.increments('id');
  table.vector('v', 3);
  table.halfvec('h', 3);
  table.specificType('b', 'bit(3)');
  table.sparsevec('s', 3);
});
await knex('items').insert([[1, 1, 1], [2, 2, 2], [1, 1, 2]].map((row) => ({
  v: pgvector.toSql(row),
  h: pgvector.toSql(row),
  b: row.map((x) => (x > 1 ? 1 : 0)).join(''),
  s: new SparseVector(row),
})));
await knex.schema.alterTable('items', (table) => {
  table.index(knex.raw('v vector_l2_ops'), 'items_v', 'hnsw');
});

async function ids(distance) {
  return (await knex('items').orderBy(distance).limit(5)).map((item) => item.id);
}

assert.deepEqual(await ids(knex.l2Distance('v', [1, 1, 1])), [1, 3, 2]);
assert.deepEqual(await ids(knex.maxInnerProduct('h', [1, 1, 1])), [2, 3, 1]);
assert.deepEqual(await ids(knex.hammingDistance('b', '000')), [1, 3, 2]);
assert.deepEqual(await ids(knex.l1Distance('s', new SparseVector([2, 2, 2]))), [2, 3, 1]);
await knex.destroy();
