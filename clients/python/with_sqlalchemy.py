import json

from pgvector import SparseVector
from pgvector.sqlalchemy import BIT, HALFVEC, SPARSEVEC, VECTOR, avg
from sqlalchemy import Index, Integer, create_engine, func, inspect, select, text
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column
from sqlalchemy.types import UserDefinedType


class BF16VEC(UserDefinedType):
    """A type that pgvector has not: its text is JSON, in and out."""

    cache_ok = True

    def __init__(self, dim):
        self.dim = dim

    def get_col_spec(self, **kw):
        return f"bf16vec({self.dim})"

    def bind_processor(self, dialect):
        return lambda value: json.dumps(list(value))

    def result_processor(self, dialect, coltype):
        return json.loads


ischema_names["bf16vec"] = BF16VEC


class Base(DeclarativeBase):
    pass


class Item(Base):
    __tablename__ = "items"
    id = mapped_column(Integer, primary_key=True)
    v = mapped_column(VECTOR(3))
    h = mapped_column(HALFVEC(3))
    b = mapped_column(BIT(3))
    s = mapped_column(SPARSEVEC(3))
    x = mapped_column(BF16VEC(3))
    __table_args__ = (
        Index("items_v", "v", postgresql_using="hnsw", postgresql_ops={"v": "vector_cosine_ops"},
              postgresql_with={"m": 16, "ef_construction": 64}),
        Index("items_x", "x", postgresql_using="hnsw", postgresql_ops={"x": "bf16vec_l2_ops"}),
    )


engine = create_engine("postgresql+psycopg://")
with Session(engine) as session:
    session.execute(text("CREATE EXTENSION IF NOT EXISTS vector"))
    session.commit()
    Base.metadata.create_all(engine)
    for row in [1, 1, 1], [2, 2, 2], [1, 1, 2]:
        bits = "".join("1" if x > 1 else "0" for x in row)
        session.add(Item(v=row, h=row, b=bits, s=SparseVector(row), x=row))
    session.commit()

    def ids(distance):
        return list(session.scalars(select(Item.id).order_by(distance).limit(5)))

    assert ids(Item.v.l2_distance([1, 1, 1])) == [1, 3, 2]
    assert ids(Item.v.cosine_distance([1, 1, 2]))[0] == 3
    assert ids(Item.h.max_inner_product([1, 1, 1])) == [2, 3, 1]
    assert ids(Item.s.l1_distance(SparseVector([2, 2, 2]))) == [2, 3, 1]
    assert ids(Item.b.hamming_distance("000")) == [1, 3, 2]
    assert ids(Item.x.op("<->")([1, 1, 1])) == [1, 3, 2]
    assert session.get(Item, 3).x == [1, 1, 2]
    assert session.scalars(select(func.vector_dims(Item.v))).first() == 3
    assert session.scalars(select(avg(Item.v))).first() is not None
    columns = {column["name"]: column["type"] for column in inspect(engine).get_columns("items")}
    assert isinstance(columns["v"], VECTOR) and columns["v"].dim == 3
    assert isinstance(columns["x"], BF16VEC)
