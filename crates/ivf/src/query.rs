//! A vector that others are compared with: exactly, and by their codes.

use kernels::BLOCK;
use pages::Form;
use quant::{EdgeQuery, Metric, Narrowed, Rounded, RoundedDistance};

use crate::block::Block;
use crate::index::Ivf;
use crate::radius::Radius;
use crate::vector::{Stored, norm};

/// Standard deviations of an estimate that are taken off for a bound: three in a thousand rows lie
/// nearer than theirs, of those that would be found.
const DEVIATIONS: f32 = 2.75;

/// How far a vector is from the query.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Exact {
    /// A number that the SQL operator's distance to the row is not below.
    pub(crate) distance: f64,
    /// Whether `distance` is the operator's.
    pub(crate) certain: bool,
    /// What searches sort by (see [`Metric`]).
    pub(crate) rank: f32,
}

/// How far a centroid is from the query, and what that means for the codes about it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Centre {
    pub(crate) rank: f32,
    /// The part of the query along the centroid (see [`EdgeQuery::estimate`]).
    alpha: f32,
    /// Length of the query's part that codes estimate.
    across: f32,
}

/// A query prepared once for all lists.
#[derive(Debug)]
pub(crate) struct Query {
    metric: Metric,
    vector: Vec<f32>,
    /// As lists and codes are made of, see [`Ivf::place`].
    placed: Vec<f32>,
    norm: f32,
    /// Norm of `placed`.
    placed_norm: f32,
    /// `placed` rotated, where vectors are held so.
    turned: Vec<f32>,
    codes: Option<EdgeQuery>,
    /// The vector where it is of bits.
    bits: Vec<u8>,
}

impl Query {
    /// Prepares `vector`, which has the index's dimensions.
    pub(crate) fn new(ivf: &Ivf, vector: &[f32]) -> Self {
        let mut placed = vector.to_vec();
        ivf.place(&mut placed);
        let codes = ivf.coder().map(|coder| EdgeQuery::new(coder, &placed));
        let form = ivf.geometry().form;
        let turned = if form == Form::Sq8 { ivf.rotated(&placed) } else { Vec::new() };
        let mut bits = Vec::new();
        if form == Form::Bits {
            bits.resize(ivf.geometry().vector_size(), 0);
            ivf.holder().write(vector, &mut bits);
        }
        let (metric, vector) = (ivf.metric(), vector.to_vec());
        let (norm, placed_norm) = (norm(&vector), norm(&placed));
        Self { metric, norm, placed_norm, vector, placed, turned, codes, bits }
    }

    /// Compares with the vector of a row.
    pub(crate) fn exact(&self, stored: &Stored<'_>) -> Exact {
        if stored.form() == Form::Sq8 {
            // Under cosine, `placed` has length one.
            let length = f64::from(self.norm) / f64::from(self.placed_norm);
            let length = if self.metric == Metric::Cosine { length } else { 1.0 };
            let rounded = Rounded {
                q: self.norm.into(),
                x: stored.norm().into(),
                product: length * f64::from(self.product(stored)),
                error: stored.error().into(),
                part: 1.0,
                dims: self.vector.len(),
            };
            let RoundedDistance { distance, rank, .. } = rounded.distance(self.metric);
            return Exact { distance, certain: false, rank };
        }
        let q = &self.vector;
        let (distance, rank) = match self.metric {
            Metric::L2 => {
                let squared = kernels::l2_squared_f16(q, stored.halves(), stored.scale());
                (f64::from(squared).sqrt(), squared)
            }
            Metric::InnerProduct => {
                let product = kernels::inner_product_f16(q, stored.halves(), stored.scale());
                (-f64::from(product), -product)
            }
            Metric::Cosine => {
                let terms = kernels::cosine_terms_f16(q, stored.halves(), stored.scale());
                let norms = f64::from(terms.norm_a) * f64::from(terms.norm_b);
                let distance = 1.0 - (f64::from(terms.dot) / norms.sqrt()).clamp(-1.0, 1.0);
                (distance, 2.0 * distance as f32)
            }
            Metric::Hamming | Metric::L1 | Metric::Jaccard => {
                let distance = kernels::hamming(&self.bits, stored.numbers());
                return Exact { distance: distance.into(), certain: true, rank: distance as f32 };
            }
        };
        let (distance, certain) = self.lower_bound(distance, stored);
        Exact {
            // The operator may say otherwise, or that it is not a number.
            certain: certain && !distance.is_nan(),
            // Not a number: infinite values met, or a zero query under cosine. Last in any order.
            distance: if distance.is_nan() { f64::INFINITY } else { distance },
            rank: if rank.is_nan() { f32::INFINITY } else { rank },
        }
    }

    /// Takes off `distance`, measured on the vector as stored, what narrowing to halves may have
    /// added. Also tells whether nothing had to be taken off.
    fn lower_bound(&self, distance: f64, stored: &Stored<'_>) -> (f64, bool) {
        if stored.error() == 0.0 {
            return (distance, true);
        }
        let narrowed = Narrowed {
            distance,
            q: self.norm.into(),
            x: stored.norm().into(),
            error: stored.error().into(),
            dims: self.vector.len(),
        };
        (narrowed.least(self.metric), false)
    }

    /// The inner product of the placed vector with one that is not of bits, as stored.
    fn product(&self, stored: &Stored<'_>) -> f32 {
        if stored.form() == Form::Sq8 {
            return stored.scale() * kernels::inner_product_bytes(&self.turned, stored.levels());
        }
        kernels::inner_product_f16(&self.placed, stored.halves(), stored.scale())
    }

    /// How far a vector is in space, as lists are made: the square of the distance, of bits the
    /// number of those that differ.
    pub(crate) fn squared_distance(&self, stored: &Stored<'_>) -> f32 {
        if stored.form() == Form::Bits {
            kernels::hamming(&self.bits, stored.numbers()) as f32
        } else if stored.form() == Form::Sq8 {
            let squares = self.placed_norm.powi(2) + squared_norm(stored);
            (squares - 2.0 * self.product(stored)).max(0.0)
        } else {
            kernels::l2_squared_f16(&self.placed, stored.halves(), stored.scale())
        }
    }

    /// A number that the ranks of the rows of a list, whose centroid is at `centre`, are not below.
    pub(crate) fn least_rank(&self, radius: Radius, centre: &Centre) -> f32 {
        radius.least_rank(self.metric, centre, self.placed_norm)
    }

    /// Compares with a centroid.
    pub(crate) fn centre(&self, stored: &Stored<'_>) -> Centre {
        let centre = match self.metric {
            Metric::InnerProduct => {
                let product = self.product(stored);
                let alpha = product / squared_norm(stored);
                let alpha = if alpha.is_finite() { alpha } else { 0.0 };
                let across = (self.norm * self.norm - alpha * product).max(0.0).sqrt();
                Centre { rank: -product, alpha, across }
            }
            Metric::L2 | Metric::Cosine | Metric::Hamming | Metric::L1 | Metric::Jaccard => {
                let rank = self.squared_distance(stored);
                Centre { rank, alpha: 1.0, across: rank.sqrt() }
            }
        };
        let rank = if centre.rank.is_nan() { f32::INFINITY } else { centre.rank };
        Centre { rank, ..centre }
    }

    /// Numbers that the ranks of a block's entries are hardly ever below, where there are codes.
    pub(crate) fn bounds(&self, block: &Block<'_>, centre: &Centre) -> Option<[f32; BLOCK]> {
        let codes = self.codes.as_ref()?;
        let mut bounds = [0.0; BLOCK];
        let (adds, ress) = (block.adds(), block.ress());
        codes.estimate_block(block.codes(), adds, ress, centre.rank, centre.alpha, &mut bounds);
        let margin = DEVIATIONS * codes.deviation(centre.across);
        for (bound, res) in bounds.iter_mut().zip(ress) {
            let off = margin * half::bf16::from_le_bytes(*res).to_f32().abs();
            // Not a number: nothing is known.
            *bound = if off.is_finite() { *bound - off } else { f32::NEG_INFINITY };
        }
        Some(bounds)
    }
}

/// The square of the norm of a vector as stored: what rounding to levels lost is orthogonal to what it
/// was made of.
fn squared_norm(stored: &Stored<'_>) -> f32 {
    let squared = stored.norm() * stored.norm();
    if stored.form() == Form::Sq8 { squared + stored.error() * stored.error() } else { squared }
}

#[cfg(test)]
impl Centre {
    pub(crate) fn of_rank(rank: f32) -> Self {
        Self { rank, alpha: 1.0, across: 0.0 }
    }
}

impl From<Centre> for Exact {
    fn from(centre: Centre) -> Self {
        Self { distance: centre.rank.into(), certain: true, rank: centre.rank }
    }
}
