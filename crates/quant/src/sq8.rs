//! Many vectors at one byte per coordinate.

/// Vectors coded as 8-bit integers with a scale for each vector, for building a graph: a
/// quarter of the memory and of the time of a distance. The rounded vectors are points of their
/// own, and distances between them are exact.
///
/// Vectors should be rotated before, so that no coordinate is much larger than the others.
#[derive(Clone, Debug)]
pub struct Sq8Set {
    /// Subtracted from every vector.
    centre: Vec<f32>,
    /// `centre.len()` numbers for each vector.
    codes: Vec<i8>,
    terms: Vec<Terms>,
}

/// What a distance needs of a vector beside its code.
#[derive(Clone, Copy, Debug)]
struct Terms {
    /// What one unit of the code stands for.
    scale: f32,
    /// Squared length of the rounded vector.
    square: f32,
}

impl Sq8Set {
    /// An empty set of vectors with `centre.len()` (at least 1) dimensions.
    ///
    /// The centre is subtracted from every vector: a point amid the data for Euclidean and
    /// cosine distances, which do not change by it, and zero for the inner product.
    pub fn new(centre: Vec<f32>) -> Self {
        assert!(!centre.is_empty());
        Self { centre, codes: Vec::new(), terms: Vec::new() }
    }

    /// Makes room for `n` more vectors.
    pub fn reserve(&mut self, n: usize) {
        self.codes.reserve(n.saturating_mul(self.centre.len()));
        self.terms.reserve(n);
    }

    /// Adds the vector `x`.
    ///
    /// # Panics
    /// If `x` has not as many dimensions as the set.
    pub fn push(&mut self, x: &[f32]) {
        assert_eq!(x.len(), self.centre.len());
        let centred = || x.iter().zip(&self.centre).map(|(x, m)| x - m);
        let peak = centred().fold(0.0f32, |peak, x| peak.max(x.abs()));
        let scale = peak / 127.0;
        let inverse = if scale > 0.0 { 127.0 / peak } else { 0.0 };
        let start = self.codes.len();
        self.codes.extend(centred().map(|x| (x * inverse).round_ties_even() as i8));
        let code = &self.codes[start..];
        let square = kernels::inner_product_i8(code, code) as f32;
        self.terms.push(Terms { scale, square: scale * scale * square });
    }

    /// Number of vectors.
    pub fn len(&self) -> usize {
        self.terms.len()
    }

    /// Whether the set has no vectors.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Squared Euclidean distance of the vectors number `a` and `b`, at least 0.
    pub fn l2_squared(&self, a: usize, b: usize) -> f32 {
        (self.terms[a].square + self.terms[b].square - 2.0 * self.inner_product(a, b)).max(0.0)
    }

    /// Inner product of the vectors number `a` and `b`.
    pub fn inner_product(&self, a: usize, b: usize) -> f32 {
        let dot = kernels::inner_product_i8(self.code(a), self.code(b));
        self.terms[a].scale * self.terms[b].scale * dot as f32
    }

    /// Writes vector number `i`, as rounded, to `out`, which has as many dimensions.
    pub fn decode(&self, i: usize, out: &mut [f32]) {
        let scale = self.terms[i].scale;
        for ((out, &code), centre) in out.iter_mut().zip(self.code(i)).zip(&self.centre) {
            *out = f32::from(code) * scale + centre;
        }
    }

    /// Has vector number `i` loaded into the processor's caches.
    pub fn prefetch(&self, i: usize) {
        kernels::prefetch(self.code(i));
        kernels::prefetch(&self.terms[i..=i]);
    }

    /// The integers of vector number `i`.
    pub fn code(&self, i: usize) -> &[i8] {
        let dims = self.centre.len();
        &self.codes[i * dims..][..dims]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SplitMix64;

    fn set(vectors: &[Vec<f32>], centre: f32) -> Sq8Set {
        let mut set = Sq8Set::new(vec![centre; vectors[0].len()]);
        set.reserve(vectors.len());
        vectors.iter().for_each(|x| set.push(x));
        set
    }

    #[test]
    fn distances_are_near_the_exact_ones() {
        let mut random = SplitMix64::new(8);
        for offset in [0.0, 1_000.0] {
            let vectors: Vec<Vec<f32>> = (0..30)
                .map(|_| (0..100).map(|_| offset + random.next_normal()).collect())
                .collect();
            let set = set(&vectors, offset);
            for a in 0..30 {
                for b in 0..a {
                    let exact = kernels::l2_squared(&vectors[a], &vectors[b]);
                    let error = (set.l2_squared(a, b) / exact - 1.0).abs();
                    assert!(error < 0.01, "offset {offset}: {error}");
                }
                assert_eq!(set.l2_squared(a, a), 0.0);
            }
        }
    }

    #[test]
    fn inner_products_keep_their_scale() {
        let set = set(&[vec![3.0, 4.0], vec![-300.0, 400.0], vec![0.0, 0.0]], 0.0);
        assert_eq!(set.len(), 3);
        assert!((set.inner_product(0, 1) - 700.0).abs() < 10.0);
        assert!((set.inner_product(1, 1) - 250_000.0).abs() < 2_000.0);
        assert_eq!(set.inner_product(1, 2), 0.0);
        assert_eq!(set.l2_squared(2, 2), 0.0);
    }
}
