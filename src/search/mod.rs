//! Searches of a table in one call: `vector_search`, `grouped_search`, `range_search`, `hybrid_search`.
//!
//! A call becomes one statement, so that PostgreSQL plans it, with the indexes that there are, and
//! sees to snapshot, privileges and row security. Each leg of it finds places of rows in the order of
//! one ranking; only the rows of the result are fetched as a whole.
//!
//! The texts of statements are made of names from the catalog, quoted, of parameters, and of
//! functions and operators by their full names: whatever stands in a request or filter is a
//! parameter's value.

mod arguments;
mod column_type;
mod decay;
mod field;
mod functions;
mod grouped;
mod grouping;
mod hybrid;
mod leg;
mod range;
mod ranker;
mod request;
mod request_type;
mod statement;
mod stored;
mod stream;
mod table;
mod tokens;
mod vector;
