//! `vector_score`: how near two vectors are, as Milvus reports it. Ordering stays with the
//! operators; of L2, HAMMING and JACCARD less is nearer, of IP and COSINE more.

use pgrx::PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE;

use half::{bf16, f16};
use kernels::CosineTerms;

use super::bit::{self, BitsRef};
use super::dense::{self, DenseRef, Element};
use super::sparsevec::{self, SparseRef};
use crate::pg::error::{Report, printable};
use crate::pg::function::pg_export;
use crate::pg::varlena::{Detoasted, VARHDRSZ};

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
    Ok(match named(&metric, E::TYPE, OF_NUMBERS)? {
        OfNumbers::L2 => kernels::l2_squared::<E>(&a, &b).into() as f32,
        OfNumbers::Ip => kernels::inner_product::<E>(&a, &b).into() as f32,
        OfNumbers::Cosine => cosine(kernels::cosine_terms::<E>(&a, &b)),
    })
}

fn sparse(a: SparseRef, b: SparseRef, metric: Detoasted) -> Result<f32, Report> {
    sparsevec::check::same_dims(&a, &b)?;
    let (a, b) = (a.view(), b.view());
    Ok(match named(&metric, "sparsevec", OF_NUMBERS)? {
        OfNumbers::L2 => kernels::sparse::l2_squared(a, b),
        OfNumbers::Ip => kernels::sparse::inner_product(a, b),
        OfNumbers::Cosine => cosine(kernels::sparse::cosine_terms(a, b)),
    })
}

fn bits(a: BitsRef, b: BitsRef, metric: Detoasted) -> Result<f32, Report> {
    Ok(match named(&metric, "bit", OF_BITS)? {
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

/// The metric that a `text` names, in upper or lower case.
fn named<M: Copy>(
    name: &Detoasted,
    sql_type: &str,
    metrics: &[(&'static str, M)],
) -> Result<M, Report> {
    let name = name.slice::<u8>(VARHDRSZ, name.size() - VARHDRSZ).unwrap_or_default();
    let found = metrics.iter().find(|(metric, _)| name.eq_ignore_ascii_case(metric.as_bytes()));
    if let Some(&(_, metric)) = found {
        return Ok(metric);
    }
    let names: Vec<&str> = metrics.iter().map(|&(metric, _)| metric).collect();
    let message = format!("type {sql_type} has no metric \"{}\"", printable(name));
    let hint = format!("Its metrics are {}.", names.join(", "));
    Err(Report::new(ERRCODE_INVALID_PARAMETER_VALUE, message).hint(hint))
}

/// Cosine of the angle; 0 where a vector is zero, as in Milvus.
fn cosine<Sum: Into<f64>>(terms: CosineTerms<Sum>) -> f32 {
    match (terms.norm_a.into() * terms.norm_b.into()).sqrt() {
        0.0 => 0.0,
        norms => (terms.dot.into() / norms).clamp(-1.0, 1.0) as f32,
    }
}
