//! A vector that others are compared with: exactly, and by their codes.

use pages::{Element, Form, Record};
use quant::{EdgeQuery, Metric, half_scale};

use crate::Hnsw;
use crate::stored::{bit_distance, pack, rank_bits};

/// How far an element is from the query.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Exact {
    /// A number that the SQL operator's distance to any row of the element is not below.
    pub(crate) distance: f64,
    /// Whether `distance` is the operator's.
    pub(crate) certain: bool,
    /// What searches sort by (see [`Metric`]).
    pub(crate) rank: f32,
    /// The part of the query along the element, for estimates (see [`EdgeQuery::estimate`]).
    alpha: f32,
}

/// What the codes of neighbors are compared with.
#[derive(Debug)]
enum Codes {
    None,
    Residual(EdgeQuery),
    /// The vector itself, where codes are beginnings of vectors of bits.
    Bits(Vec<u8>),
}

/// A query prepared once for all elements of one index.
#[derive(Debug)]
pub(crate) struct Query {
    metric: Metric,
    vector: Vec<f32>,
    norm: f32,
    codes: Codes,
    code_bytes: usize,
    /// Dimensions for each that a code covers.
    dims_per_coded: f32,
    estimates: Vec<f32>,
}

impl Query {
    /// Prepares `vector`, which has the index's dimensions.
    pub(crate) fn new(hnsw: &Hnsw, vector: &[f32]) -> Self {
        let norm = norm(vector);
        let codes = match (hnsw.geometry().form, hnsw.coder()) {
            (Form::Bits, _) => {
                let mut bits = vec![0; hnsw.geometry().vector_bytes()];
                pack(vector, &mut bits);
                Codes::Bits(bits)
            }
            (Form::Halves, None) => Codes::None,
            (Form::Halves, Some(coder)) if hnsw.metric() == Metric::Cosine => {
                Codes::Residual(EdgeQuery::new(coder, &unit(vector, norm)))
            }
            (Form::Halves, Some(coder)) => Codes::Residual(EdgeQuery::new(coder, vector)),
        };
        let geometry = hnsw.geometry();
        Self {
            metric: hnsw.metric(),
            vector: vector.to_vec(),
            norm,
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
        if let Codes::Bits(bits) = &self.codes {
            let distance = bit_distance(self.metric, bits, record.vector());
            return Exact { distance, certain: true, rank: distance as f32, alpha: 1.0 };
        }
        let element = record.element();
        let (halves, scale) = (record.halves(), half_scale(element.exponent));
        let q = &self.vector;
        let mut alpha = 1.0;
        let (distance, rank) = match self.metric {
            Metric::L2 => {
                let squared = kernels::l2_squared_f16(q, halves, scale);
                (f64::from(squared).sqrt(), squared)
            }
            Metric::InnerProduct => {
                let product = kernels::inner_product_f16(q, halves, scale);
                alpha = product / (element.norm * element.norm);
                (-f64::from(product), -product)
            }
            Metric::Cosine => {
                let terms = kernels::cosine_terms_f16(q, halves, scale);
                let distance = cosine_distance(&terms);
                (distance, 2.0 * distance as f32)
            }
            Metric::L1 | Metric::Hamming | Metric::Jaccard => {
                let distance = kernels::l1_f16(q, halves, scale);
                (f64::from(distance), distance)
            }
        };
        let (distance, certain) = self.lower_bound(distance, &element);
        Exact {
            certain,
            // Not a number: infinite values met, or a zero query under cosine. Last in any order.
            distance: if distance.is_nan() { f64::INFINITY } else { distance },
            rank: if rank.is_nan() { f32::INFINITY } else { rank },
            alpha: if alpha.is_finite() { alpha } else { 0.0 },
        }
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
            Codes::Bits(bits) => {
                let codes = record.codes().chunks_exact(self.code_bytes);
                let query = &bits[..self.code_bytes];
                // A count grows with the bits it is taken over, a share does not.
                let factor = if self.metric == Metric::Hamming { self.dims_per_coded } else { 1.0 };
                for (estimate, code) in estimates.iter_mut().zip(codes) {
                    *estimate = factor * rank_bits(self.metric, query, code);
                }
            }
        }
        estimates
    }

    /// Takes off `distance`, measured on the vector as stored, what narrowing to halves may have
    /// added. Also tells whether nothing had to be taken off.
    fn lower_bound(&self, distance: f64, element: &Element) -> (f64, bool) {
        if element.error == 0.0 || !distance.is_finite() {
            return (distance, true);
        }
        let (error, norm) = (f64::from(element.error), f64::from(element.norm));
        let (shift, size) = match self.metric {
            Metric::L2 | Metric::L1 | Metric::Hamming | Metric::Jaccard => {
                (error, distance + error)
            }
            Metric::InnerProduct => {
                let q = f64::from(self.norm);
                (q * error, q * (norm + error))
            }
            Metric::Cosine => (2.0 * error / norm, 1.0),
        };
        // What summing in single precision may be off by, in this sum and in the operator's.
        let rounding = f64::from(f32::EPSILON) * (self.vector.len() as f64 / 8.0 + 16.0);
        let bound = distance - shift - 2.0 * size * rounding;
        (if bound.is_nan() { f64::NEG_INFINITY } else { bound }, false)
    }
}

fn cosine_distance(terms: &kernels::CosineTerms) -> f64 {
    let norms = f64::from(terms.norm_a) * f64::from(terms.norm_b);
    1.0 - (f64::from(terms.dot) / norms.sqrt()).clamp(-1.0, 1.0)
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
