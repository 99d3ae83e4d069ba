//! Searches of a table in one call: `vector_search`, `grouped_search`, `range_search`,
//! `hybrid_search`.
//!
//! A call becomes one statement, so that PostgreSQL plans it, with the indexes that there are, and
//! sees to snapshot, privileges and row security. It reads the table once for each leg and takes
//! the rows' columns along: a join back to the table would look for each row in every partition.
//!
//! The texts of statements are made of names from the catalog, quoted, of parameters, and of
//! functions and operators by their full names: whatever stands in a request or filter is a
//! parameter's value. Operands are of exactly the types that the operator or function has, by casts
//! where a column is of a domain. So nothing that another user made is run, whatever it is called
//! and wherever it lies: `pg_test/tests/security_search.rs`.
//!
//! [`functions`] are what SQL calls. Each makes a [`call`] of a [`table`], [`request`]s and
//! [`arguments`]. A request becomes a [`leg`]: the parts of a statement for one column. [`nearest`]
//! writes the statement that finds the leg's rows, by the builder in [`query`], or [`parts`] if some
//! are on other servers; [`groups`] and [`range`] read it row by row, [`hybrid`] makes one ranking of several legs, as a [`ranker`]
//! says.

mod arguments;
mod call;
mod column_type;
mod decay;
mod field;
mod filterable;
mod filtering;
mod foreign;
mod functions;
mod grouping;
mod groups;
mod hybrid;
mod leg;
mod model;
mod nearest;
mod parameters;
mod parts;
mod query;
mod range;
mod ranker;
mod reader;
mod request;
mod request_type;
mod scores;
mod stored;
mod table;
mod text_field;
mod ties;
mod tokens;
