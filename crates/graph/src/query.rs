//! A vector that others are compared with: exactly, and by their codes.

use pages::{Form, Record};
use quant::{EdgeQuery, Metric};

use crate::Hnsw;
use crate::bits::rank_bits;
use crate::exact::{Exact, ExactQuery};

/// What the codes of neighbors are compared with.
#[derive(Debug)]
enum Codes {
    None,
    Residual(EdgeQuery),
    /// Codes are beginnings of vectors of bits.
    Bits,
}

/// A query prepared once for all elements of one index.
#[derive(Debug)]
pub(crate) struct Query {
    metric: Metric,
    own: ExactQuery,
    codes: Codes,
    code_bytes: usize,
    /// Dimensions for each that a code covers.
    dims_per_coded: f32,
    estimates: Vec<f32>,
}

impl Query {
    /// Prepares `vector`, which has the index's dimensions.
    pub(crate) fn new(hnsw: &Hnsw, vector: &[f32]) -> Self {
        let geometry = hnsw.geometry();
        let codes = match hnsw.coder() {
            Some(coder) if hnsw.metric() == Metric::Cosine => {
                Codes::Residual(EdgeQuery::new(coder, &unit(vector, norm(vector))))
            }
            Some(coder) => Codes::Residual(EdgeQuery::new(coder, vector)),
            None if geometry.form == Form::Bits => Codes::Bits,
            None => Codes::None,
        };
        Self {
            metric: hnsw.metric(),
            own: ExactQuery::new(hnsw.holder(), vector),
            codes,
            code_bytes: geometry.code_bytes(),
            dims_per_coded: geometry.dims as f32 / geometry.code_dims().max(1) as f32,
            estimates: vec![0.0; geometry.slots],
        }
    }

    /// Whether neighbors have codes to estimate from.
    pub(crate) fn coded(&self) -> bool {
        !matches!(self.codes, Codes::None)
    }

    /// Compares with the element's own vector.
    pub(crate) fn exact(&self, record: &Record<'_>) -> Exact {
        self.own.measure(record)
    }

    /// Estimated ranks of the neighbors of an element, in slot order.
    pub(crate) fn estimate(&mut self, record: &Record<'_>, exact: &Exact) -> &[f32] {
        let count = record.neighbor_count();
        let estimates = &mut self.estimates[..count];
        match &mut self.codes {
            Codes::None => {}
            Codes::Residual(codes) => {
                let (adds, scales) = (record.adds(), record.scales());
                codes.estimate(record.codes(), adds, scales, exact.rank, exact.alpha, estimates);
            }
            Codes::Bits => {
                let codes = record.codes().chunks_exact(self.code_bytes);
                let query = &self.own.bits()[..self.code_bytes];
                // A count grows with the bits it is taken over, a share does not.
                let factor = if self.metric == Metric::Hamming { self.dims_per_coded } else { 1.0 };
                for (estimate, code) in estimates.iter_mut().zip(codes) {
                    *estimate = factor * rank_bits(self.metric, query, code);
                }
            }
        }
        estimates
    }
}

/// Euclidean norm.
pub(crate) fn norm(vector: &[f32]) -> f32 {
    let squares: f64 = vector.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
    squares.sqrt() as f32
}

/// `vector` scaled to length one; a zero vector stays as it is.
pub(crate) fn unit(vector: &[f32], norm: f32) -> Vec<f32> {
    let factor = if norm > 0.0 { 1.0 / f64::from(norm) } else { 0.0 };
    vector.iter().map(|&x| (f64::from(x) * factor) as f32).collect()
}

/// Rank between two vectors (under cosine: of length one).
pub(crate) fn rank(metric: Metric, a: &[f32], b: &[f32]) -> f32 {
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
pub(crate) fn rank_f16(metric: Metric, a: &[f32], b: &[[u8; 2]], scale: f32) -> f32 {
    match metric {
        Metric::L2 | Metric::Cosine => kernels::l2_squared_f16(a, b, scale),
        Metric::InnerProduct => -kernels::inner_product_f16(a, b, scale),
        Metric::L1 | Metric::Hamming | Metric::Jaccard => kernels::l1_f16(a, b, scale),
    }
}
