//! Full text: how a text becomes tokens, by Milvus's analyzers or by PostgreSQL's text-search
//! configurations.

mod analyzer;
mod functions;
mod highlight;

#[allow(unused_imports)] // the access method `inverted` is going to use them
pub use self::analyzer::{Analyzer, Token};
