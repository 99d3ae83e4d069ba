//! The functions that SQL calls, and those that show the statements they run.

use super::arguments::{GroupOptions, HybridOptions, Options};
use super::call::Call;
use super::request::Request;
use super::stored::StoredArray;
use super::table::Table;
use crate::pg::error::Report;
use crate::pg::function::pg_functions;
use crate::pg::json::Json;
use crate::ranking::bound::Bounds;

pg_functions! {
    /// The rows nearest to a vector, with scores.
    fn vector_search(
        table: Table, request: Request, options: Options,
    ) -> Result<Call<2>, Report> {
        Call::vector(table, request, options)
    }

    /// The statement of `vector_search`.
    fn vector_search_sql(
        table: Table, request: Request, options: Options,
    ) -> Result<String, Report> {
        Call::vector(table, request, options)?.text()
    }

    /// The groups of rows nearest to a vector.
    fn grouped_search(
        table: Table, request: Request, options: GroupOptions,
    ) -> Result<Call<4>, Report> {
        Call::grouped(table, request, options)
    }

    /// The statement that `grouped_search` reads until it has its groups.
    fn grouped_search_sql(
        table: Table, request: Request, options: GroupOptions,
    ) -> Result<String, Report> {
        Call::grouped(table, request, options)?.text()
    }

    /// The rows within a distance.
    fn range_search(
        table: Table, request: Request, bounds: Bounds, options: Options,
    ) -> Result<Call<2>, Report> {
        Call::range(table, request, bounds, options)
    }

    /// The statement that `range_search` reads until a row lies beyond the bound.
    fn range_search_sql(
        table: Table, request: Request, bounds: Bounds, options: Options,
    ) -> Result<String, Report> {
        Call::range(table, request, bounds, options)?.text()
    }

    /// The rows that several searches find, in one ranking.
    fn hybrid_search(
        table: Table, requests: StoredArray, ranker: Json, options: HybridOptions,
    ) -> Result<Call<4>, Report> {
        Call::hybrid(table, requests, ranker.0, options)
    }

    /// The statement of `hybrid_search`, or those that it reads for groups.
    fn hybrid_search_sql(
        table: Table, requests: StoredArray, ranker: Json, options: HybridOptions,
    ) -> Result<String, Report> {
        Call::hybrid(table, requests, ranker.0, options)?.text()
    }
}
