import os

from llama_index.core.schema import TextNode
from llama_index.core.vector_stores import MetadataFilter, MetadataFilters, VectorStoreQuery
from llama_index.vector_stores.postgres import PGVectorStore
from sqlalchemy import URL

place = {"host": os.environ["PGHOST"]}
for use_halfvec in (False, True):
    store = PGVectorStore(
        connection_string=URL.create("postgresql+psycopg2", os.environ["PGUSER"],
                                     database=os.environ["PGDATABASE"], query=place),
        async_connection_string=URL.create("postgresql+asyncpg", os.environ["PGUSER"],
                                           database=os.environ["PGDATABASE"], query=place),
        table_name=f"half_{use_halfvec}".lower(), embed_dim=3, use_halfvec=use_halfvec,
        hnsw_kwargs={"hnsw_m": 16, "hnsw_ef_construction": 64, "hnsw_ef_search": 40,
                     "hnsw_dist_method": "halfvec_cosine_ops" if use_halfvec else "vector_cosine_ops"},
    )
    store.add([
        TextNode(id_=str(i), text=f"text {i}", embedding=row, metadata={"n": i})
        for i, row in enumerate([[1, 1, 1], [3, 1, 1], [1, 1, 3]], 1)
    ])
    found = store.query(VectorStoreQuery(query_embedding=[1, 1, 2], similarity_top_k=2))
    assert found.ids == ["3", "1"], found
    filters = MetadataFilters(filters=[MetadataFilter(key="n", value=2)])
    found = store.query(VectorStoreQuery(query_embedding=[1, 1, 2], similarity_top_k=2, filters=filters))
    assert found.ids == ["2"], found
