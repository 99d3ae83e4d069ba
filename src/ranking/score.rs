//! `vector_score`: how near two vectors are, as Milvus reports it. Ordering stays with the
//! operators; of L2, HAMMING and JACCARD less is nearer, of IP and COSINE more.

use kernels::CosineTerms;

use super::metric;
use crate::pg::error::Report;
use crate::pg::function::pg_export;
use crate::pg::varlena::Detoasted;
use crate::types::bit::{self, BitsRef};
use crate::types::numbers::{Numbers, for_each_number_type};

macro_rules! export {
    ($type:literal, $vector:ty) => {
        pg_export!(@ concat!("vector_score_", $type) => score::<$vector>);
    };
}
for_each_number_type!(export);
pg_export! { "vector_score": bit => bit_score; }

fn score<'a, V: Numbers<'a>>(a: V, b: V, metric: Detoasted) -> Result<f32, Report> {
    let metric = metric::named(&metric, format_args!("type {}", V::TYPE), NUMBER_METRICS)?;
    // As in Milvus.
    Ok(number_score(&a, &b, metric)?.unwrap_or(0.0))
}

/// The score of two vectors by a metric; none for the direction of a zero vector.
pub fn number_score<'a, V: Numbers<'a>>(
    a: &V,
    b: &V,
    metric: NumberMetric,
) -> Result<Option<f32>, Report> {
    a.check_same_dims(b)?;
    Ok(match metric {
        NumberMetric::L2 => Some(a.l2_squared(b) as f32),
        NumberMetric::Ip => Some(a.inner_product(b) as f32),
        NumberMetric::Cosine => cosine(&a.cosine_terms(b)),
    })
}

fn bit_score(a: BitsRef, b: BitsRef, metric: Detoasted) -> Result<f32, Report> {
    Ok(match metric::named(&metric, "type bit", BIT_METRICS)? {
        BitMetric::Hamming => bit::hamming(&a, &b)? as f32,
        BitMetric::Jaccard => bit::jaccard(&a, &b)? as f32,
    })
}

/// Metrics of vectors of numbers.
#[derive(Clone, Copy)]
pub enum NumberMetric {
    /// Squared Euclidean distance.
    L2,
    /// Inner product.
    Ip,
    /// Cosine of the angle.
    Cosine,
}

impl NumberMetric {
    /// Whether a higher score is nearer.
    pub fn is_similarity(self) -> bool {
        !matches!(self, NumberMetric::L2)
    }
}

#[derive(Clone, Copy)]
enum BitMetric {
    /// Bits that differ.
    Hamming,
    /// 1 - common bits / bits in either.
    Jaccard,
}

/// Metrics of vectors of numbers by their names.
pub const NUMBER_METRICS: &[(&str, NumberMetric)] =
    &[("L2", NumberMetric::L2), ("IP", NumberMetric::Ip), ("COSINE", NumberMetric::Cosine)];

const BIT_METRICS: &[(&str, BitMetric)] =
    &[("HAMMING", BitMetric::Hamming), ("JACCARD", BitMetric::Jaccard)];

/// Cosine of the angle; none where a vector is zero.
fn cosine(terms: &CosineTerms<f64>) -> Option<f32> {
    match (terms.norm_a * terms.norm_b).sqrt() {
        0.0 => None,
        norms => Some((terms.dot / norms).clamp(-1.0, 1.0) as f32),
    }
}
