//! `vector_ext`: Milvus's vector features inside PostgreSQL.
//!
//! The SQL objects are written by hand in `sql/`; each C function named there is declared with
//! [`pg::function::pg_functions!`](pg::function).

mod info;
mod pg;
mod types;

pgrx::pg_module_magic!();
