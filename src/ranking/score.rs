//! `vector_score`: how near two vectors are, as Milvus reports it. Ordering stays with the
//! operators; of L2, HAMMING and JACCARD less is nearer, of IP and COSINE more.

use half::{bf16, f16};
use kernels::CosineTerms;

use super::metric;
use crate::pg::error::Report;
use crate::pg::function::pg_export;
use crate::pg::varlena::Detoasted;
use crate::types::bit::{self, BitsRef};
use crate::types::dense::{self, DenseRef, Element};
use crate::types::sparsevec::{self, SparseRef};

pg_export! { "vector_score":
    vector => dense::<f32>;
    halfvec => dense::<f16>;
    bf16vec => dense::<bf16>;
    i8vec => dense::<i8>;
    sparsevec => sparse;
    bit => bits;
}

fn dense<E: Element>(a: DenseRef<E>, b: DenseRef<E>, metric: Detoasted) -> Result<f32, Report> {
    let metric = metric::named(&metric, format_args!("type {}", E::TYPE), OF_NUMBERS)?;
    // As in Milvus.
    Ok(of_dense(&a, &b, metric)?.unwrap_or(0.0))
}

/// The score of two vectors by a metric; none for the direction of a zero vector.
pub fn of_dense<E: Element>(
    a: &DenseRef<E>,
    b: &DenseRef<E>,
    metric: OfNumbers,
) -> Result<Option<f32>, Report> {
    dense::check::same_dims(a, b)?;
    Ok(match metric {
        OfNumbers::L2 => Some(kernels::l2_squared::<E>(a, b).into() as f32),
        OfNumbers::Ip => Some(kernels::inner_product::<E>(a, b).into() as f32),
        OfNumbers::Cosine => cosine(kernels::cosine_terms::<E>(a, b)),
    })
}

fn sparse(a: SparseRef, b: SparseRef, metric: Detoasted) -> Result<f32, Report> {
    let metric = metric::named(&metric, "type sparsevec", OF_NUMBERS)?;
    Ok(of_sparse(&a, &b, metric)?.unwrap_or(0.0))
}

/// The same of sparse vectors.
pub fn of_sparse(a: &SparseRef, b: &SparseRef, metric: OfNumbers) -> Result<Option<f32>, Report> {
    sparsevec::check::same_dims(a, b)?;
    let (a, b) = (a.view(), b.view());
    Ok(match metric {
        OfNumbers::L2 => Some(kernels::sparse::l2_squared(a, b)),
        OfNumbers::Ip => Some(kernels::sparse::inner_product(a, b)),
        OfNumbers::Cosine => cosine(kernels::sparse::cosine_terms(a, b)),
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
fn cosine<Sum: Into<f64>>(terms: CosineTerms<Sum>) -> Option<f32> {
    match (terms.norm_a.into() * terms.norm_b.into()).sqrt() {
        0.0 => None,
        norms => Some((terms.dot.into() / norms).clamp(-1.0, 1.0) as f32),
    }
}
