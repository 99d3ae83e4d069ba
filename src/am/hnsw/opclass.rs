//! What an operator class says about its indexes.
//!
//! Support functions 1 and 2 of a class are those of pgvector's class of that name. Number 3 is our
//! own: it gives the metric.

#![allow(unsafe_code)] // calls into PostgreSQL

use pgrx::PgSqlErrorCode::ERRCODE_INVALID_OBJECT_DEFINITION;
use pgrx::pg_sys::{self, Datum, InvalidOid, Oid, Relation};
use quant::Metric;

use crate::pg::error::Report;
use crate::pg::function::pg_functions;

/// Number of support functions that a class can have.
pub const SUPPORT_FUNCTIONS: u16 = 3;
/// Number of the one that gives the metric.
const METRIC_FUNCTION: u16 = 3;

pg_functions! {
    /// The metric of `vector_l2_ops`.
    fn hnsw_vector_l2_support() -> i32 { Metric::L2 as i32 }

    /// The metric of `vector_ip_ops`.
    fn hnsw_vector_ip_support() -> i32 { Metric::InnerProduct as i32 }

    /// The metric of `vector_cosine_ops`.
    fn hnsw_vector_cosine_support() -> i32 { Metric::Cosine as i32 }

    /// The metric of `vector_l1_ops`.
    fn hnsw_vector_l1_support() -> i32 { Metric::L1 as i32 }
}

/// The metric of an index.
///
/// # Safety
/// `index` is open.
pub unsafe fn metric_of(index: Relation) -> Result<Metric, Report> {
    // SAFETY: the index is open and has a first column; the function takes an argument that it
    // does not look at.
    let number = unsafe {
        if pg_sys::index_getprocid(index, 1, METRIC_FUNCTION) == InvalidOid {
            None
        } else {
            let function = pg_sys::index_getprocinfo(index, 1, METRIC_FUNCTION);
            Some(pg_sys::FunctionCall1Coll(function, Oid::INVALID, Datum::null()).value())
        }
    };
    number.and_then(|number| u8::try_from(number).ok()).and_then(Metric::from_byte).ok_or_else(
        || {
            Report::new(
                ERRCODE_INVALID_OBJECT_DEFINITION,
                "operator class does not tell its metric to access method \"hnsw\"",
            )
            .hint("Give it one of the functions hnsw_vector_*_support as FUNCTION 3.")
        },
    )
}
