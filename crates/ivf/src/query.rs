//! A vector that others are compared with: exactly, and by their codes.

use kernels::BLOCK;
use quant::{EdgeQuery, Metric, Rounded, RoundedDistance, SeenOwner, rounding};
use vectors::measure::{Lost, Measured, OfHalves};
use vectors::{Form, norm};

use crate::block::Block;
use crate::index::Ivf;
use crate::lists::List;
use crate::radius::Radius;
use crate::vector::Stored;

/// Standard deviations of an estimate that are taken off for a bound: three in a thousand rows lie
/// nearer than theirs, of those that would be found.
const DEVIATIONS: f32 = 2.75;
/// The same where all lists are read, so that nothing else loses rows: one in three million.
const MOST_DEVIATIONS: f32 = 5.0;
/// What rotating moves a vector by at most, as a part of its length.
const TURNING: f32 = 8.0 * f32::EPSILON;

/// How far a vector is from the query.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Exact {
    /// A number that the SQL operator's distance to the row is not below.
    pub(crate) distance: f64,
    /// Whether `distance` is the operator's.
    pub(crate) certain: bool,
    /// The reduced distance (see [`Metric`]), as far as it is known.
    pub(crate) reduced: f32,
    /// A lower bound of the reduced distance that `distance` stands for.
    pub(crate) least_reduced: f64,
}

impl Exact {
    fn new(metric: Metric, distance: f64, certain: bool, reduced: f32) -> Self {
        let least_reduced = match metric {
            // Of the sign of the distance: minus infinity stays what it is.
            Metric::L2 => distance * distance.abs(),
            Metric::Cosine => 2.0 * distance,
            Metric::InnerProduct | Metric::L1 | Metric::Hamming | Metric::Jaccard => distance,
        };
        Self { distance, certain, reduced, least_reduced }
    }
}

/// How far a centroid is from the query, and what that means for the codes about it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct CentroidDistance {
    pub(crate) reduced: f32,
    /// The same for the codes.
    seen: SeenOwner,
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
    /// `placed` rotated, where vectors are stored so.
    turned: Vec<f32>,
    codes: Option<EdgeQuery>,
    /// Standard deviations of an estimate that are taken off for a bound.
    deviations: f32,
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
        let (norm, placed_norm, deviations) = (norm(&vector), norm(&placed), DEVIATIONS);
        Self { metric, norm, placed_norm, vector, placed, turned, codes, deviations, bits }
    }

    /// The same, but its bounds hold for all rows that will ever be compared.
    pub(crate) fn cautious(self) -> Self {
        Self { deviations: MOST_DEVIATIONS, ..self }
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
            let RoundedDistance { distance, reduced, .. } = rounded.distance(self.metric);
            return Exact::new(self.metric, distance, false, reduced);
        }
        if stored.form() == Form::Bits {
            let distance = kernels::hamming(&self.bits, stored.numbers());
            return Exact::new(self.metric, distance.into(), true, distance as f32);
        }
        let sums = OfHalves { q: &self.vector, b: stored.halves(), scale: stored.scale() };
        let lost = Lost { query: self.norm, norm: stored.norm(), error: stored.error() };
        let measured = Measured::of(self.metric, &sums);
        let (Measured { distance, reduced }, certain) =
            measured.bounded(self.metric, lost, self.vector.len());
        Exact::new(self.metric, distance, certain, reduced)
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
            // By the product, vectors far from the origin would be as far as it rounds.
            let scale = stored.scale();
            let levels = stored.levels().iter().map(|&level| scale * f32::from(level));
            kernels::l2_squared(&self.turned, &levels.collect::<Vec<f32>>())
        } else {
            kernels::l2_squared_f16(&self.placed, stored.halves(), stored.scale())
        }
    }

    /// A lower bound of the reduced distances of a list's rows; `centroid` is the distance to its
    /// centroid.
    pub(crate) fn least_reduced(&self, radius: Radius, centroid: &CentroidDistance) -> f32 {
        radius.least_reduced(self.metric, centroid, self.placed_norm)
    }

    /// See [`Radius::likely_gain`].
    pub(crate) fn likely_gain(&self, radius: Radius) -> f32 {
        radius.likely_gain(self.metric, self.placed.len(), self.placed_norm)
    }

    /// What lists are searched in the order of; `centroid` is the distance to its centroid.
    pub(crate) fn order_of(&self, list: List, centroid: &CentroidDistance) -> Exact {
        let reduced = centroid.reduced - self.likely_gain(list.radius());
        Exact { distance: reduced.into(), certain: true, reduced, least_reduced: reduced.into() }
    }

    /// The cosine of the angle at a centroid between the query, `centroid` away, and a row that is
    /// `spread` away and has this reduced distance (see [`crate::Reach`]).
    pub(crate) fn cosine(&self, spread: f32, centroid: &CentroidDistance, reduced: f32) -> f32 {
        if self.metric == Metric::InnerProduct {
            return (centroid.reduced - reduced) / (self.placed_norm * spread);
        }
        (centroid.reduced + spread * spread - reduced) / (2.0 * centroid.reduced.sqrt() * spread)
    }

    /// Compares with a centroid.
    pub(crate) fn distance_to_centroid(&self, stored: &Stored<'_>) -> CentroidDistance {
        // Once for this sum, and once for the operator's.
        let twice = 2.0 * rounding(self.placed.len()) as f32;
        let seen = match self.metric {
            Metric::InnerProduct => {
                let product = self.product(stored);
                let alpha = product / squared_norm(stored);
                let alpha = if alpha.is_finite() { alpha } else { 0.0 };
                let across = (self.norm * self.norm - alpha * product).max(0.0).sqrt();
                let slack = twice * self.placed_norm * stored.norm();
                SeenOwner { base: -product, slack, alpha, across }
            }
            Metric::L2 | Metric::Cosine | Metric::Hamming | Metric::L1 | Metric::Jaccard => {
                let base = self.squared_distance(stored);
                let across = base.sqrt();
                let turned = if stored.form() == Form::Sq8 {
                    TURNING * (self.placed_norm + stored.norm())
                } else {
                    0.0
                };
                let of_operator = if self.metric == Metric::Cosine { 2.0 * twice } else { 0.0 };
                let slack = twice * base + turned * (2.0 * across + turned) + of_operator;
                SeenOwner { base, slack, alpha: 1.0, across }
            }
        };
        let reduced = if seen.base.is_nan() { f32::INFINITY } else { seen.base };
        CentroidDistance { reduced, seen }
    }

    /// Numbers that the reduced distances of a block's entries are hardly ever below, where there are
    /// codes.
    pub(crate) fn bounds(
        &self,
        block: &Block<'_>,
        centroid: &CentroidDistance,
    ) -> Option<[f32; BLOCK]> {
        let codes = self.codes.as_ref()?;
        let mut bounds = [0.0; BLOCK];
        let (adds, ress) = (block.adds(), block.ress());
        let (seen, deviations) = (&centroid.seen, self.deviations);
        codes.bound_block(block.codes(), adds, ress, seen, deviations, &mut bounds);
        let error = block.error() * self.part_of_error();
        if error > 0.0 {
            bounds.iter_mut().for_each(|bound| *bound = self.less(*bound, error));
        }
        Some(bounds)
    }

    /// The part of what rounding moved a vector by that may lie along the query, as often as for other
    /// parts of a bound: rounding to levels moves it in a random direction, across itself.
    fn part_of_error(&self) -> f32 {
        if self.turned.is_empty() {
            return 1.0;
        }
        let dims = self.turned.len() as f32;
        (self.deviations / (dims - 1.0).max(1.0).sqrt()).min(1.0)
    }

    /// A lower bound of the distance of a vector that is `error` from one whose distance is not below
    /// `bound`.
    fn less(&self, bound: f32, error: f32) -> f32 {
        let least = if self.metric == Metric::InnerProduct {
            bound - self.placed_norm * error
        } else if bound > 0.0 {
            let apart = (bound.sqrt() - error).max(0.0);
            apart * apart
        } else {
            bound
        };
        if least.is_nan() { f32::NEG_INFINITY } else { least }
    }
}

/// The square of the norm of a vector as stored: what rounding to levels lost is orthogonal to what it
/// was made of.
fn squared_norm(stored: &Stored<'_>) -> f32 {
    let squared = stored.norm() * stored.norm();
    if stored.form() == Form::Sq8 { squared + stored.error() * stored.error() } else { squared }
}

#[cfg(test)]
impl CentroidDistance {
    pub(crate) fn of_reduced(reduced: f32) -> Self {
        Self { reduced, seen: SeenOwner { base: reduced, slack: 0.0, alpha: 1.0, across: 0.0 } }
    }
}
