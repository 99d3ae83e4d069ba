//! Reduced distances between vectors, by which searches and builds order (see [`Metric`]).

use kernels::sparse;
use quant::Metric;

use crate::vector::Vector;

/// Reduced distance of two vectors of one form (under cosine: of length one).
pub fn reduced_distance<'a>(
    metric: Metric,
    a: impl Into<Vector<'a>>,
    b: impl Into<Vector<'a>>,
) -> f32 {
    match (a.into(), b.into()) {
        (Vector::Dense(a), Vector::Dense(b)) => reduced_distance_dense(metric, a, b),
        (Vector::Sparse(a), Vector::Sparse(b)) => match metric {
            Metric::L2 | Metric::Cosine => sparse::l2_squared(a, b),
            Metric::InnerProduct => -sparse::inner_product(a, b),
            Metric::L1 | Metric::Hamming | Metric::Jaccard => sparse::l1(a, b),
        },
        (Vector::Dense(_), Vector::Sparse(_)) | (Vector::Sparse(_), Vector::Dense(_)) => {
            f32::INFINITY
        }
    }
}

fn reduced_distance_dense(metric: Metric, a: &[f32], b: &[f32]) -> f32 {
    match metric {
        // Of bits, each a number: those that differ.
        Metric::L2 | Metric::Cosine | Metric::Hamming => kernels::l2_squared(a, b),
        Metric::InnerProduct => -kernels::inner_product(a, b),
        Metric::L1 => kernels::l1(a, b),
        Metric::Jaccard => {
            let terms = kernels::cosine_terms(a, b);
            if terms.dot == 0.0 {
                return 1.0;
            }
            1.0 - terms.dot / (terms.norm_a + terms.norm_b - terms.dot)
        }
    }
}

/// The same where `b` is given as halves times `scale`; not for bits.
pub fn reduced_distance_f16(metric: Metric, a: &[f32], b: &[[u8; 2]], scale: f32) -> f32 {
    match metric {
        Metric::L2 | Metric::Cosine => kernels::l2_squared_f16(a, b, scale),
        Metric::InnerProduct => -kernels::inner_product_f16(a, b, scale),
        Metric::L1 | Metric::Hamming | Metric::Jaccard => kernels::l1_f16(a, b, scale),
    }
}
