//! `vector_ext`: Milvus's vector features inside PostgreSQL.

pgrx::pg_module_magic!();
