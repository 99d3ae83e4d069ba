//! Full text: how a text becomes tokens, by Milvus's analyzers or by PostgreSQL's text-search
//! configurations.

mod analyzer;
mod functions;
mod highlight;

pub use self::analyzer::Analyzer;
