//! What an operator class says about its indexes.
//!
//! Support functions 1 and 2 of a class are those of pgvector's class of that name. Number 3 is our
//! own: it tells type and metric.

#![allow(unsafe_code)] // calls into PostgreSQL

use pgrx::PgSqlErrorCode::ERRCODE_INVALID_OBJECT_DEFINITION;
use pgrx::pg_sys::{self, Datum, InvalidOid, Oid, Relation};
use quant::Metric;

use super::element_kind::ElementKind;
use crate::pg::error::Report;
use crate::pg::relation;

/// Number of the operator of a class that rows are ordered by.
pub const ORDER_STRATEGY: i16 = 1;

/// Number of the operator of a class that rows are found by.
pub const MATCH_STRATEGY: i16 = 2;

/// Number of the one that tells what the class is.
const CLASS_FUNCTION: u16 = 3;

/// An operator class: what is compared, and how.
#[derive(Clone, Copy, Debug)]
pub struct OpClass {
    /// Elements of the vectors.
    pub kind: ElementKind,
    /// How vectors are compared.
    pub metric: Metric,
}

/// Support function 3 of a class: both bytes.
pub const fn class(kind: ElementKind, metric: Metric) -> i32 {
    (kind as i32) << 8 | metric as i32
}

/// Exports the support functions of the classes on a type of dense or sparse vectors:
/// `hnsw_halfvec_l2_support`, and so on.
macro_rules! export_classes {
    ($prefix:literal, $kind:expr) => {
        $crate::pg::function::pg_export! { $prefix:
            l2_support => || $crate::am::opclass::class($kind, quant::Metric::L2);
            ip_support => || $crate::am::opclass::class($kind, quant::Metric::InnerProduct);
            cosine_support => || $crate::am::opclass::class($kind, quant::Metric::Cosine);
        }
    };
}

pub(super) use export_classes;

impl OpClass {
    /// The class of an index.
    ///
    /// # Safety
    /// `index` is open.
    pub unsafe fn of(index: Relation) -> Result<Self, Report> {
        // SAFETY: the index is open and has a first column; the function takes an argument that it
        // does not look at.
        let class = unsafe {
            if pg_sys::index_getprocid(index, 1, CLASS_FUNCTION) == InvalidOid {
                None
            } else {
                let function = pg_sys::index_getprocinfo(index, 1, CLASS_FUNCTION);
                let class = pg_sys::FunctionCall1Coll(function, Oid::INVALID, Datum::null());
                u16::try_from(class.value()).ok()
            }
        };
        class.and_then(Self::decode).ok_or_else(|| {
            // SAFETY: `index` is open.
            let method = unsafe { relation::access_method(index) };
            let message =
                format!("operator class does not tell its metric to access method \"{method}\"");
            Report::new(ERRCODE_INVALID_OBJECT_DEFINITION, message)
                .hint("Give it one of the functions *_support of the access method as FUNCTION 3.")
        })
    }

    fn decode(class: u16) -> Option<Self> {
        let [kind, metric] = class.to_be_bytes();
        Some(Self { kind: ElementKind::from_byte(kind)?, metric: Metric::from_byte(metric)? })
    }
}
