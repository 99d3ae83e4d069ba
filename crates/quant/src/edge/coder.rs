//! Making edge codes.

use half::bf16;
use kernels::CodeShape;

use super::levels::{Levels, MAX_PLANES};
use crate::{Metric, Rotation};

/// What one neighbor's code needs to become an estimate, see the module's table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Factors {
    /// The term that does not depend on the query, apart from alpha.
    pub add: bf16,
    /// The factor of ⟨q, x̄⟩.
    pub res: bf16,
}

/// An element made ready to code its neighbors.
#[derive(Clone, Debug)]
pub struct PreparedOwner {
    rotated: Vec<f32>,
}

impl PreparedOwner {
    /// The element's vector, rotated; all dimensions.
    pub fn rotated(&self) -> &[f32] {
        &self.rotated
    }
}

/// Codes the neighbors of elements; all of an index use the same one.
#[derive(Clone, Debug)]
pub struct EdgeCoder {
    rotation: Rotation,
    shape: CodeShape,
    metric: Metric,
    /// As many numbers as dimensions are coded.
    center: Vec<f32>,
}

impl EdgeCoder {
    /// A coder of the first `center.len()` rotated coordinates, for any metric but L1.
    ///
    /// `center` is a point amid the data, rotated: what is coded and asked is taken relative to
    /// it, which keeps numbers small and estimates precise when the data lie far from the
    /// origin. The inner product has no such freedom; its center is taken as zero.
    ///
    /// # Panics
    /// If `shape` has no room for the coordinates or not 1 to 4 planes, if there are more
    /// coordinates than dimensions or none, or if the metric is L1.
    pub fn new(rotation: Rotation, shape: CodeShape, metric: Metric, mut center: Vec<f32>) -> Self {
        assert!((1..=MAX_PLANES).contains(&shape.planes));
        assert!((1..=rotation.dims()).contains(&center.len()));
        assert!(center.len().div_ceil(8) <= shape.plane_bytes);
        assert!(metric.keeps_rotation());
        if metric == Metric::InnerProduct {
            center.fill(0.0);
        }
        Self { rotation, shape, metric, center }
    }

    /// The rotation before coding.
    pub fn rotation(&self) -> &Rotation {
        &self.rotation
    }

    /// Shape of the codes.
    pub fn shape(&self) -> CodeShape {
        self.shape
    }

    /// The metric whose reduced distances are estimated.
    pub fn metric(&self) -> Metric {
        self.metric
    }

    /// Number of rotated coordinates that are coded.
    pub fn code_dims(&self) -> usize {
        self.center.len()
    }

    /// Bytes of one code.
    pub fn code_bytes(&self) -> usize {
        self.shape.planes * self.shape.plane_bytes
    }

    pub(super) fn center(&self) -> &[f32] {
        &self.center
    }

    /// Rotates an element's vector once for all its neighbors. (Cosine: of length one.)
    pub fn prepare(&self, owner: &[f32]) -> PreparedOwner {
        PreparedOwner { rotated: self.rotate(owner) }
    }

    /// Codes `neighbor` for the list of `owner`: writes [`code_bytes`](Self::code_bytes) bytes
    /// to `code` and returns the factors that belong to them. A neighbor equal to its owner
    /// gets the code of zeros and zero factors.
    pub fn encode(&self, owner: &PreparedOwner, neighbor: &[f32], code: &mut [u8]) -> Factors {
        self.encode_rotated(&owner.rotated, &self.rotate(neighbor), code)
    }

    /// [`encode`](Self::encode) for vectors that are rotated already.
    pub fn encode_rotated(&self, owner: &[f32], neighbor: &[f32], code: &mut [u8]) -> Factors {
        let residual: Vec<f32> = neighbor.iter().zip(owner).map(|(x, c)| x - c).collect();
        self.encode_residual(owner, &residual, code)
    }

    /// [`encode`](Self::encode) for an owner that is rotated already, and what the neighbor is from
    /// it: the difference, rotated. Of vectors far from the origin, differences of rotated vectors
    /// have lost more than the rotated difference.
    pub fn encode_residual(&self, owner: &[f32], residual: &[f32], code: &mut [u8]) -> Factors {
        self.code(owner, residual, code).factors(self.metric)
    }

    /// Codes two elements for each other's lists: `there` is the code of `b` for the list of `a`,
    /// `back` that of `a` for the list of `b`, and so are the factors. Both vectors are rotated.
    /// Costs little more than [`encode_rotated`](Self::encode_rotated), since one residual is the
    /// other's negative.
    pub fn encode_pair(
        &self,
        (a, b): (&[f32], &[f32]),
        there: &mut [u8],
        back: &mut [u8],
    ) -> [Factors; 2] {
        let residual: Vec<f32> = b.iter().zip(a).map(|(b, a)| b - a).collect();
        let coded = self.code(a, &residual, there);
        if coded.product > 0.0 {
            let dims = self.code_dims();
            for (i, (back, there)) in back.iter_mut().zip(&*there).enumerate() {
                // Coordinates beyond the last have no bits.
                let first = i % self.shape.plane_bytes * 8;
                let used = (dims.saturating_sub(first)).min(8);
                *back = !there & ((1u16 << used) - 1) as u8;
            }
        } else {
            back.fill(0);
        }
        [coded.factors(self.metric), coded.reversed().factors(self.metric)]
    }

    fn code(&self, owner: &[f32], residual: &[f32], code: &mut [u8]) -> Coded {
        assert_eq!(code.len(), self.code_bytes());
        let squared = dot(residual, residual);
        let by_product = self.metric == Metric::InnerProduct;
        let along = if by_product { dot(owner, residual) } else { 0.0 };
        let coded = &residual[..self.center.len()];
        let levels = Levels::fit(coded, self.shape.planes);
        if levels.product <= 0.0 {
            code.fill(0);
            return Coded { squared, along, product: 0.0, owner_product: 0.0 };
        }
        let centered: Vec<f32> = owner.iter().zip(&self.center).map(|(c, m)| c - m).collect();
        let owner_product = levels.write(coded, &centered, self.shape.plane_bytes, code);
        Coded { squared, along, product: levels.product, owner_product }
    }

    pub(super) fn rotate(&self, x: &[f32]) -> Vec<f32> {
        let mut rotated = vec![0.0; self.rotation.dims()];
        self.rotation.apply(x, &mut rotated);
        rotated
    }
}

/// What the factors of a residual r in the list of element c are made of.
#[derive(Clone, Copy)]
struct Coded {
    /// |r|².
    squared: f64,
    /// ⟨c, r⟩; only for the inner product.
    along: f64,
    /// ⟨r, x̄⟩ over the coded coordinates; zero where nothing is coded.
    product: f64,
    /// ⟨c, x̄⟩ over the coded coordinates, c relative to the center.
    owner_product: f64,
}

impl Coded {
    /// The same seen from the other end: -r, coded as -x̄, in the list of c + r.
    fn reversed(self) -> Self {
        Self {
            along: -(self.along + self.squared),
            owner_product: -(self.owner_product + self.product),
            ..self
        }
    }

    fn factors(self, metric: Metric) -> Factors {
        let by_product = metric == Metric::InnerProduct;
        let (weight, known) = if by_product { (-1.0, -self.along) } else { (-2.0, self.squared) };
        if self.product <= 0.0 {
            return Factors { add: finite_bf16(known), res: bf16::ZERO };
        }
        let res = finite_bf16(weight * self.squared / self.product);
        // `add` takes back what the rounded `res` makes of the owner's part of the query, so
        // that these two large terms cancel.
        Factors { add: finite_bf16(known - res.to_f64() * self.owner_product), res }
    }
}

/// `x` rounded to a finite `bf16`: what overflows takes the largest magnitude.
fn finite_bf16(x: f64) -> bf16 {
    let limit = bf16::MAX.to_f64();
    bf16::from_f64(x.clamp(-limit, limit))
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    let narrow = kernels::inner_product(a, b);
    if narrow.is_finite() {
        return f64::from(narrow);
    }
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}
