//! What an operator class says about its indexes.
//!
//! Support functions 1 and 2 of a class are those of pgvector's class of that name. Number 3 is our
//! own: it tells type and metric.

#![allow(unsafe_code)] // calls into PostgreSQL

use pgrx::PgSqlErrorCode::ERRCODE_INVALID_OBJECT_DEFINITION;
use pgrx::pg_sys::{self, Datum, InvalidOid, Oid, Relation};
use quant::Metric;

use crate::am::element_kind::ElementKind;
use crate::pg::error::Report;
use crate::pg::function::pg_export;

/// Number of support functions that a class can have.
pub const SUPPORT_FUNCTIONS: u16 = 3;
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

/// Exports the support functions of the classes on one type: `hnsw_halfvec_l2_support`, and so on.
macro_rules! export_classes {
    ($prefix:literal, $kind:expr) => {
        pg_export! { $prefix:
            l2_support => || class($kind, Metric::L2);
            ip_support => || class($kind, Metric::InnerProduct);
            cosine_support => || class($kind, Metric::Cosine);
            l1_support => || class($kind, Metric::L1);
        }
    };
}

export_classes!("hnsw_vector", ElementKind::F32);
export_classes!("hnsw_halfvec", ElementKind::F16);
export_classes!("hnsw_bf16vec", ElementKind::Bf16);
export_classes!("hnsw_i8vec", ElementKind::I8);
export_classes!("hnsw_sparsevec", ElementKind::Sparse);
pg_export! { "hnsw_bit":
    hamming_support => || class(ElementKind::Bit, Metric::Hamming);
    jaccard_support => || class(ElementKind::Bit, Metric::Jaccard);
}

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
            Report::new(
                ERRCODE_INVALID_OBJECT_DEFINITION,
                "operator class does not tell its metric to access method \"hnsw\"",
            )
            .hint("Give it one of the functions hnsw_*_support as FUNCTION 3.")
        })
    }

    fn decode(class: u16) -> Option<Self> {
        let [kind, metric] = class.to_be_bytes();
        Some(Self { kind: ElementKind::from_byte(kind)?, metric: Metric::from_byte(metric)? })
    }
}
