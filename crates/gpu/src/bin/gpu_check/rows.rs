//! Rows to compute with.

/// A generator of numbers that are the same everywhere (SplitMix64).
pub struct Random(pub u64);

impl Random {
    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number between -1 and 1.
    pub fn number(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1 << 23) as f32 - 1.0
    }
}

/// What numbers of rows are like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Whole numbers from -3 to 3: products and distances are exact in any order of sums, so that all
    /// devices find the same, and many distances are equal.
    Whole,
    /// Around some centers, as embeddings are.
    Clustered,
    /// So large that norms overflow.
    Huge,
}

/// `count` rows of `dims` numbers.
pub fn rows(kind: Kind, count: usize, dims: usize, seed: u64) -> Vec<f32> {
    let mut random = Random(seed);
    let centers: Vec<f32> = (0..16 * dims).map(|_| random.number()).collect();
    let mut rows = Vec::with_capacity(count * dims);
    for _ in 0..count {
        let center = random.next() as usize % 16 * dims;
        rows.extend((0..dims).map(|d| match kind {
            Kind::Whole => (random.next() % 7) as f32 - 3.0,
            Kind::Clustered => centers[center + d] + 0.5 * random.number(),
            Kind::Huge => random.number() * 3e30,
        }));
    }
    rows
}
