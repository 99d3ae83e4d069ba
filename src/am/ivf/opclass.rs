//! What operator classes say about their indexes.

use quant::Metric;

use crate::am::element_kind::ElementKind;
use crate::am::opclass::{class, export_classes};
use crate::pg::function::pg_export;

export_classes!("ivf_vector", ElementKind::F32);
export_classes!("ivf_halfvec", ElementKind::F16);
export_classes!("ivf_bf16vec", ElementKind::Bf16);
export_classes!("ivf_i8vec", ElementKind::I8);
pg_export! { "ivf_bit":
    hamming_support => || class(ElementKind::Bit, Metric::Hamming);
}
