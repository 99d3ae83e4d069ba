//! Embeddings and rerankers from SQL: foreign servers that are models. See README.md.

mod cache;
mod call;
mod column;
mod embed;
mod endpoint;
mod error;
mod objects;
mod pending;
mod queue;
mod rerank;
mod rights;
mod rows;
mod wrapper;
