//! Embeddings and rerankers from SQL: foreign servers that are models. See README.md.

mod cache;
mod call;
mod embed;
mod endpoint;
mod error;
mod rerank;
mod wrapper;
