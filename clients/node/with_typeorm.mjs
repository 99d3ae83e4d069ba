import 'reflect-metadata';
import assert from 'node:assert';
import {DataSource, EntitySchema} from 'typeorm';

const Item = new EntitySchema({
  name: 'item',
  columns: {
    id: {type: 'int', primary: true, generated: true},
    v: {type: 'vector', length: 3},
    h: {type: 'halfvec', length: 3},
  },
});

const {PGHOST: host, PGUSER: username, PGDATABASE: database} = process.env;
// With a column of these types TypeORM creates the extension itself.
const source = new DataSource({type: 'postgres', host, username, database, entities: [Item], synchronize: true});
await source.initialize();
await source.query('CREATE INDEX ON item USING hnsw (v vector_l2_ops)');
const items = source.getRepository(Item);
await items.save([[1, 1, 1], [2, 2, 2], [1, 1, 2]].map((row) => ({v: row, h: row})));
const found = await items.createQueryBuilder('item')
  .orderBy('item.v <-> :query').setParameter('query', '[1,1,1]').limit(5).getMany();
assert.deepEqual(found.map((item) => item.id), [1, 3, 2]);
assert.deepEqual([found[1].v, found[1].h], [[1, 1, 2], [1, 1, 2]]);

// What it reads back of the table is what the entity says: there is nothing to change.
const changes = await source.driver.createSchemaBuilder().log();
assert.deepEqual(changes.upQueries.filter(({query}) => !query.includes('DROP INDEX')), []);
await source.destroy();
