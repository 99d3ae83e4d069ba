//! What operator classes say about their indexes.

use quant::Metric;

use crate::am::element_kind::ElementKind;
use crate::am::opclass::class;
use crate::pg::function::pg_export;

/// Number of support functions that a class can have.
pub const SUPPORT_FUNCTIONS: u16 = 3;

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
