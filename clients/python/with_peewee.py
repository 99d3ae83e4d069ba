import os

from peewee import Model, PostgresqlDatabase
from pgvector.peewee import FixedBitField, HalfVectorField, SparseVectorField, VectorField

db = PostgresqlDatabase(os.environ["PGDATABASE"])


class Item(Model):
    v = VectorField(dimensions=3)
    h = HalfVectorField(dimensions=3)
    b = FixedBitField(max_length=3)
    s = SparseVectorField(dimensions=3, null=True)

    class Meta:
        database = db
        table_name = "items"


Item.add_index("v vector_l2_ops", using="hnsw")
db.execute_sql("CREATE EXTENSION IF NOT EXISTS vector")
db.create_tables([Item])
for row in [1, 1, 1], [2, 2, 2], [1, 1, 2]:
    Item.create(v=row, h=row, b="".join("1" if x > 1 else "0" for x in row))


def ids(distance):
    return [item.id for item in Item.select().order_by(distance).limit(5)]


assert ids(Item.v.l2_distance([1, 1, 1])) == [1, 3, 2]
assert ids(Item.h.cosine_distance([1, 1, 2]))[0] == 3
assert ids(Item.b.hamming_distance("000")) == [1, 3, 2]
assert list(Item.get_by_id(3).v) == [1, 1, 2]
