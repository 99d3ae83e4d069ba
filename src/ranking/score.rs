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
pg_export! { "vector_score": bit => bits; }

fn score<'a, V: Numbers<'a>>(a: V, b: V, metric: Detoasted) -> Result<f32, Report> {
    let metric = metric::named(&metric, format_args!("type {}", V::TYPE), OF_NUMBERS)?;
    // As in Milvus.
    Ok(of_numbers(&a, &b, metric)?.unwrap_or(0.0))
}

/// The score of two vectors by a metric; none for the direction of a zero vector.
pub fn of_numbers<'a, V: Numbers<'a>>(
    a: &V,
    b: &V,
    metric: OfNumbers,
) -> Result<Option<f32>, Report> {
    a.check_same_dims(b)?;
    Ok(match metric {
        OfNumbers::L2 => Some(a.l2_squared(b) as f32),
        OfNumbers::Ip => Some(a.inner_product(b) as f32),
        OfNumbers::Cosine => cosine(&a.cosine_terms(b)),
    })
}

fn bits(a: BitsRef, b: BitsRef, metric: Detoasted) -> Result<f32, Report> {
    Ok(match metric::named(&metric, "type bit", OF_BITS)? {
        OfBits::Hamming => bit::hamming(&a, &b)? as f32,
        OfBits::Jaccard => bit::jaccard(&a, &b)? as f32,
    })
}

/// Metrics of vectors of numbers.
#[derive(Clone, Copy)]
pub enum OfNumbers {
    /// Squared Euclidean distance.
    L2,
    /// Inner product.
    Ip,
    /// Cosine of the angle.
    Cosine,
}

#[derive(Clone, Copy)]
enum OfBits {
    /// Bits that differ.
    Hamming,
    /// 1 - common bits / bits in either.
    Jaccard,
}

/// Metrics of vectors of numbers by their names.
pub const OF_NUMBERS: &[(&str, OfNumbers)] =
    &[("L2", OfNumbers::L2), ("IP", OfNumbers::Ip), ("COSINE", OfNumbers::Cosine)];

const OF_BITS: &[(&str, OfBits)] = &[("HAMMING", OfBits::Hamming), ("JACCARD", OfBits::Jaccard)];

/// Cosine of the angle; none where a vector is zero.
fn cosine(terms: &CosineTerms<f64>) -> Option<f32> {
    match (terms.norm_a * terms.norm_b).sqrt() {
        0.0 => None,
        norms => Some((terms.dot / norms).clamp(-1.0, 1.0) as f32),
    }
}
