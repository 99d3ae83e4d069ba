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
    dense::check::same_dims(&a, &b)?;
    Ok(match metric::named(&metric, format_args!("type {}", E::TYPE), OF_NUMBERS)? {
        OfNumbers::L2 => kernels::l2_squared::<E>(&a, &b).into() as f32,
        OfNumbers::Ip => kernels::inner_product::<E>(&a, &b).into() as f32,
        OfNumbers::Cosine => cosine(kernels::cosine_terms::<E>(&a, &b)),
    })
}

fn sparse(a: SparseRef, b: SparseRef, metric: Detoasted) -> Result<f32, Report> {
    sparsevec::check::same_dims(&a, &b)?;
    let (a, b) = (a.view(), b.view());
    Ok(match metric::named(&metric, "type sparsevec", OF_NUMBERS)? {
        OfNumbers::L2 => kernels::sparse::l2_squared(a, b),
        OfNumbers::Ip => kernels::sparse::inner_product(a, b),
        OfNumbers::Cosine => cosine(kernels::sparse::cosine_terms(a, b)),
    })
}

fn bits(a: BitsRef, b: BitsRef, metric: Detoasted) -> Result<f32, Report> {
    Ok(match metric::named(&metric, "type bit", OF_BITS)? {
        OfBits::Hamming => bit::hamming(&a, &b)? as f32,
        OfBits::Jaccard => bit::jaccard(&a, &b)? as f32,
    })
}

#[derive(Clone, Copy)]
enum OfNumbers {
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

const OF_NUMBERS: &[(&str, OfNumbers)] =
    &[("L2", OfNumbers::L2), ("IP", OfNumbers::Ip), ("COSINE", OfNumbers::Cosine)];

const OF_BITS: &[(&str, OfBits)] = &[("HAMMING", OfBits::Hamming), ("JACCARD", OfBits::Jaccard)];

/// Cosine of the angle; 0 where a vector is zero, as in Milvus.
fn cosine<Sum: Into<f64>>(terms: CosineTerms<Sum>) -> f32 {
    match (terms.norm_a.into() * terms.norm_b.into()).sqrt() {
        0.0 => 0.0,
        norms => (terms.dot.into() / norms).clamp(-1.0, 1.0) as f32,
    }
}
