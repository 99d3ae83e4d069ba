//! What operator classes say about their indexes.

use quant::Metric;

use crate::am::element_kind::ElementKind;
use crate::am::opclass::{class, export_classes};
use crate::pg::function::pg_export;

export_classes!("hnsw_vector", ElementKind::F32);
export_classes!("hnsw_halfvec", ElementKind::F16);
export_classes!("hnsw_bf16vec", ElementKind::Bf16);
export_classes!("hnsw_i8vec", ElementKind::I8);
export_classes!("hnsw_sparsevec", ElementKind::Sparse);
pg_export! { "hnsw_vector": l1_support => || class(ElementKind::F32, Metric::L1); }
pg_export! { "hnsw_halfvec": l1_support => || class(ElementKind::F16, Metric::L1); }
pg_export! { "hnsw_bf16vec": l1_support => || class(ElementKind::Bf16, Metric::L1); }
pg_export! { "hnsw_i8vec": l1_support => || class(ElementKind::I8, Metric::L1); }
pg_export! { "hnsw_sparsevec": l1_support => || class(ElementKind::Sparse, Metric::L1); }
pg_export! { "hnsw_bit":
    hamming_support => || class(ElementKind::Bit, Metric::Hamming);
    jaccard_support => || class(ElementKind::Bit, Metric::Jaccard);
}
