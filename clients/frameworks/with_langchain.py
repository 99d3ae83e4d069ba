from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_postgres import Column, PGEngine, PGVector, PGVectorStore
from langchain_postgres.v2.indexes import HNSWIndex, HNSWQueryOptions

embedding = DeterministicFakeEmbedding(size=64)
url = "postgresql+psycopg://"
texts = ["a cat", "a dog", "a horse"]
documents = [Document(page_content=text, metadata={"legs": 4, "n": i}) for i, text in enumerate(texts)]

# The store of today: one table for each collection.
engine = PGEngine.from_connection_string(url=url)
engine.init_vectorstore_table(table_name="animals", vector_size=64, metadata_columns=[Column("n", "INTEGER")])
store = PGVectorStore.create_sync(engine=engine, embedding_service=embedding, table_name="animals",
                                  metadata_columns=["n"], index_query_options=HNSWQueryOptions(ef_search=100))
store.add_documents(documents)
store.apply_vector_index(HNSWIndex(name="animals_hnsw", m=16, ef_construction=64))
assert store.is_valid_index("animals_hnsw")
found = store.similarity_search_with_score("a dog", k=2)
assert found[0][0].page_content == "a dog" and abs(found[0][1]) < 1e-6, found
assert store.similarity_search("a dog", k=1, filter={"n": 2})[0].page_content == "a horse"

# The one of before: two tables for all collections.
old = PGVector(embeddings=embedding, collection_name="old", connection=url, use_jsonb=True)
old.add_documents(documents)
assert old.similarity_search("a horse", k=1)[0].page_content == "a horse"
assert old.similarity_search("a horse", k=1, filter={"n": {"$lt": 1}})[0].page_content == "a cat"
