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
    centre: Vec<f32>,
}

impl EdgeCoder {
    /// A coder of the first `centre.len()` rotated coordinates, for any metric but L1.
    ///
    /// `centre` is a point amid the data, rotated: what is coded and asked is taken relative to
    /// it, which keeps numbers small and estimates precise when the data lie far from the
    /// origin. The inner product has no such freedom; its centre is taken as zero.
    ///
    /// # Panics
    /// If `shape` has no room for the coordinates or not 1 to 4 planes, if there are more
    /// coordinates than dimensions or none, or if the metric is L1.
    pub fn new(rotation: Rotation, shape: CodeShape, metric: Metric, mut centre: Vec<f32>) -> Self {
        assert!((1..=MAX_PLANES).contains(&shape.planes));
        assert!((1..=rotation.dims()).contains(&centre.len()));
        assert!(centre.len().div_ceil(8) <= shape.plane_bytes);
        assert_ne!(metric, Metric::L1);
        if metric == Metric::InnerProduct {
            centre.fill(0.0);
        }
        Self { rotation, shape, metric, centre }
    }

    /// The rotation before coding.
    pub fn rotation(&self) -> &Rotation {
        &self.rotation
    }

    /// Shape of the codes.
    pub fn shape(&self) -> CodeShape {
        self.shape
    }

    /// The metric whose ranks are estimated.
    pub fn metric(&self) -> Metric {
        self.metric
    }

    /// Number of rotated coordinates that are coded.
    pub fn code_dims(&self) -> usize {
        self.centre.len()
    }

    /// Bytes of one code.
    pub fn code_bytes(&self) -> usize {
        self.shape.planes * self.shape.plane_bytes
    }

    pub(super) fn centre(&self) -> &[f32] {
        &self.centre
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
        assert_eq!(code.len(), self.code_bytes());
        let residual: Vec<f32> = neighbor.iter().zip(owner).map(|(x, c)| x - c).collect();
        let squared = dot(&residual, &residual);
        let coded = &residual[..self.centre.len()];
        let levels = Levels::fit(coded, self.shape.planes);
        if levels.product <= 0.0 {
            code.fill(0);
            let add = self.add(squared, owner, &residual, 0.0);
            return Factors { add, res: bf16::ZERO };
        }
        let centred: Vec<f32> = owner.iter().zip(&self.centre).map(|(c, m)| c - m).collect();
        let owner_product = levels.write(coded, &centred, self.shape.plane_bytes, code);
        let weight = match self.metric {
            Metric::L2 | Metric::Cosine => -2.0,
            Metric::InnerProduct | Metric::L1 => -1.0,
        };
        // `add` takes back what the rounded `res` makes of the owner's part of the query, so
        // that these two large terms cancel.
        let res = finite_bf16(weight * squared / levels.product);
        let add = self.add(squared, owner, &residual, -res.to_f64() * owner_product);
        Factors { add, res }
    }

    /// The factor `add` where `taken_back` undoes the owner's part of ⟨q, x̄⟩.
    fn add(&self, squared: f64, owner: &[f32], residual: &[f32], taken_back: f64) -> bf16 {
        finite_bf16(match self.metric {
            Metric::L2 | Metric::Cosine => squared + taken_back,
            Metric::InnerProduct | Metric::L1 => taken_back - dot(owner, residual),
        })
    }

    pub(super) fn rotate(&self, x: &[f32]) -> Vec<f32> {
        let mut rotated = vec![0.0; self.rotation.dims()];
        self.rotation.apply(x, &mut rotated);
        rotated
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
