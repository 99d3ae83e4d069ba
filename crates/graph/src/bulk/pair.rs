//! Coding the neighbors of an element while pages are written.

use quant::{EdgeCoder, Factors, Sq8Set};

use super::rows::Rows;

/// How many times what rounding to eight bits adds a squared distance must be for codes to be made of
/// the rounded vectors, which need not be rotated for each edge. Neighbors of sentences, words and
/// images are farther apart, near-duplicates and the rows of clusters often are not.
const CLEAR: f32 = 256.0;

/// An element and, one after another, its neighbors: rotated vectors, rounded to eight bits where
/// these tell them apart well enough.
pub(super) struct Pair<'a> {
    coder: &'a EdgeCoder,
    rows: &'a Rows,
    rounded: Option<Sq8Set<'a>>,
    owner: u32,
    rounded_owner: Vec<f32>,
    /// Empty until a neighbor needs it.
    exact_owner: Vec<f32>,
    vector: Vec<f32>,
    neighbor: Vec<f32>,
}

impl<'a> Pair<'a> {
    pub(super) fn new(
        coder: &'a EdgeCoder,
        rows: &'a Rows,
        rounded: Option<Sq8Set<'a>>,
        owner: u32,
    ) -> Self {
        let dims = coder.rotation().dims();
        let mut rounded_owner = vec![0.0; dims];
        if let Some(rounded) = &rounded {
            rounded.decode(owner as usize, &mut rounded_owner);
        }
        let (vector, neighbor) = (vec![0.0; dims], vec![0.0; dims]);
        Self {
            coder,
            rows,
            rounded,
            owner,
            rounded_owner,
            exact_owner: Vec::new(),
            vector,
            neighbor,
        }
    }

    /// Writes the code of a neighbor.
    pub(super) fn encode(&mut self, neighbor: u32, code: &mut [u8]) -> Factors {
        let (a, b) = (self.owner as usize, neighbor as usize);
        if let Some(rounded) = &self.rounded
            && rounded.l2_squared(a, b) > CLEAR * rounded.noise(a, b)
        {
            rounded.decode(b, &mut self.neighbor);
            return self.coder.encode_rotated(&self.rounded_owner, &self.neighbor, code);
        }
        if self.exact_owner.is_empty() {
            self.exact_owner = vec![0.0; self.vector.len()];
            self.rows.normalized(a, &mut self.vector);
            self.coder.rotation().apply(&self.vector, &mut self.exact_owner);
        }
        self.rows.normalized(b, &mut self.vector);
        self.coder.rotation().apply(&self.vector, &mut self.neighbor);
        self.coder.encode_rotated(&self.exact_owner, &self.neighbor, code)
    }
}
