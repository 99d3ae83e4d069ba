//! What operator classes say about their indexes.

use quant::Metric;

use crate::am::element_kind::ElementKind;
use crate::am::opclass::class;
use crate::pg::function::pg_export;

/// Number of support functions that a class can have: pgvector's classes have five.
pub const SUPPORT_FUNCTIONS: u16 = 5;

/// Exports the support functions of the classes on one type: `ivf_halfvec_l2_support`, and so on.
macro_rules! export_classes {
    ($prefix:literal, $kind:expr) => {
        pg_export! { $prefix:
            l2_support => || class($kind, Metric::L2);
            ip_support => || class($kind, Metric::InnerProduct);
            cosine_support => || class($kind, Metric::Cosine);
        }
    };
}

export_classes!("ivf_vector", ElementKind::F32);
export_classes!("ivf_halfvec", ElementKind::F16);
export_classes!("ivf_bf16vec", ElementKind::Bf16);
export_classes!("ivf_i8vec", ElementKind::I8);
pg_export! { "ivf_bit":
    hamming_support => || class(ElementKind::Bit, Metric::Hamming);
}
