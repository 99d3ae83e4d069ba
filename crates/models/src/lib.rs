//! Embedding and reranking models: providers over HTTP, and models in files.
//!
//! An [`Endpoint`] is made of the options of a foreign server and a user mapping. It turns texts and
//! images into vectors, and scores documents for a query. Nothing here knows PostgreSQL.

mod endpoint;
mod error;
mod files;
mod http;
mod in_files;
mod local_model;
mod norm;
mod options;
mod provider;
mod remote;
mod secret;
mod static_model;
mod tensors;
mod tokenizer;

pub use endpoint::{Endpoint, Input};
pub use error::{Error, ErrorKind, Invalid};
pub use options::{Place, validate};
