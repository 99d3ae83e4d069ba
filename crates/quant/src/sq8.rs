//! Many vectors at one byte per coordinate.

/// Bytes of what a distance needs of a vector beside its code: two floats.
const TERMS: usize = 8;

/// Rows begin at multiples of so many bytes, as wide loads like it.
const ALIGN: usize = 32;

/// Added to a small number it leaves the nearest integer, ties to even, in the lowest bits.
const ROUND: f32 = 1.5 * (1 << 23) as f32;

/// Codes vectors as 8-bit integers with a scale for each vector, for building a graph: a quarter
/// of the memory and of the time of a distance. The rounded vectors are points of their own, and
/// distances between them are exact.
///
/// Vectors should be rotated before, so that no coordinate is much larger than the others.
///
/// A *row* is the code, then what one unit of it stands for and the squared length of the rounded
/// vector, as bytes of `f32`.
#[derive(Clone, Debug)]
pub struct Sq8Coder {
    /// Subtracted from every vector.
    center: Vec<f32>,
}

impl Sq8Coder {
    /// For vectors with `center.len()` (at least 1) dimensions.
    ///
    /// The center is subtracted from every vector: a point amid the data for Euclidean and
    /// cosine distances, which do not change by it, and zero for the inner product.
    pub fn new(center: Vec<f32>) -> Self {
        assert!(!center.is_empty());
        Self { center }
    }

    /// Bytes of a row for vectors of `dims` dimensions.
    pub fn row_len(dims: usize) -> usize {
        (dims + TERMS).next_multiple_of(ALIGN)
    }

    /// Writes the row of vector `x`.
    ///
    /// # Panics
    /// If `x` has not as many dimensions as the center, or `row` not [`Sq8Coder::row_len`] bytes.
    pub fn encode(&self, x: &[f32], row: &mut [i8]) {
        let dims = self.center.len();
        assert_eq!((x.len(), row.len()), (dims, Self::row_len(dims)));
        let centered = || x.iter().zip(&self.center).map(|(x, m)| x - m);
        let peak = centered().fold(0.0f32, |peak, x| peak.max(x.abs()));
        let scale = peak / 127.0;
        let inverse = if scale > 0.0 { 127.0 / peak } else { 0.0 };
        let (code, terms) = row.split_at_mut(dims);
        for (code, x) in code.iter_mut().zip(centered()) {
            *code = (x * inverse + ROUND).to_bits() as i8;
        }
        let square = scale * scale * kernels::inner_product_i8(code, code) as f32;
        let bytes = scale.to_ne_bytes().into_iter().chain(square.to_ne_bytes());
        for (term, byte) in terms.iter_mut().zip(bytes) {
            *term = byte as i8;
        }
    }
}

/// Vectors coded in one array.
#[derive(Clone, Copy, Debug)]
pub struct Sq8Set<'a> {
    coder: &'a Sq8Coder,
    row_len: usize,
    rows: &'a [i8],
}

impl<'a> Sq8Set<'a> {
    /// The vectors that `coder` wrote to `rows`, one after another.
    pub fn new(coder: &'a Sq8Coder, rows: &'a [i8]) -> Self {
        Self { coder, row_len: Sq8Coder::row_len(coder.center.len()), rows }
    }

    /// Number of vectors.
    pub fn len(&self) -> usize {
        self.rows.len() / self.row_len
    }

    /// Whether the set has no vectors.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Squared Euclidean distance of the vectors number `a` and `b`, at least 0.
    #[inline]
    pub fn l2_squared(&self, a: usize, b: usize) -> f32 {
        let (a, b) = (self.vector(a), self.vector(b));
        (a.square + b.square - 2.0 * a.inner_product(&b)).max(0.0)
    }

    /// Inner product of the vectors number `a` and `b`.
    #[inline]
    pub fn inner_product(&self, a: usize, b: usize) -> f32 {
        self.vector(a).inner_product(&self.vector(b))
    }

    /// Writes vector number `i`, as rounded, to `out`, which has as many dimensions.
    pub fn decode(&self, i: usize, out: &mut [f32]) {
        let Coded { code, scale, .. } = self.vector(i);
        for ((out, &code), center) in out.iter_mut().zip(code).zip(&self.coder.center) {
            *out = f32::from(code) * scale + center;
        }
    }

    /// What rounding is expected to add to the squared distance between the vectors number `a` and `b`:
    /// of each coordinate, the variance of a number drawn from a step.
    pub fn noise(&self, a: usize, b: usize) -> f32 {
        let step = |i: usize| self.vector(i).scale;
        self.coder.center.len() as f32 / 12.0 * (step(a).powi(2) + step(b).powi(2))
    }

    /// Has vector number `i` loaded into the processor's caches.
    #[inline]
    pub fn prefetch(&self, i: usize) {
        kernels::prefetch(&self.rows[i * self.row_len..][..self.row_len]);
    }

    #[inline]
    fn vector(&self, i: usize) -> Coded<'a> {
        let row = &self.rows[i * self.row_len..][..self.row_len];
        let (code, terms) = row.split_at(self.coder.center.len());
        Coded { code, scale: float(terms, 0), square: float(terms, 4) }
    }
}

/// A row, read.
struct Coded<'a> {
    code: &'a [i8],
    /// What one unit of the code stands for.
    scale: f32,
    /// Squared length of the rounded vector.
    square: f32,
}

impl Coded<'_> {
    #[inline]
    fn inner_product(&self, other: &Coded<'_>) -> f32 {
        self.scale * other.scale * kernels::inner_product_i8(self.code, other.code) as f32
    }
}

/// The float whose bytes begin at `at`.
#[inline]
fn float(bytes: &[i8], at: usize) -> f32 {
    let bytes = &bytes[at..at + 4];
    f32::from_ne_bytes([bytes[0] as u8, bytes[1] as u8, bytes[2] as u8, bytes[3] as u8])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SplitMix64;

    fn coded(vectors: &[Vec<f32>], center: f32) -> (Sq8Coder, Vec<i8>) {
        let dims = vectors[0].len();
        let coder = Sq8Coder::new(vec![center; dims]);
        let mut rows = vec![0; vectors.len() * Sq8Coder::row_len(dims)];
        for (x, row) in vectors.iter().zip(rows.chunks_exact_mut(Sq8Coder::row_len(dims))) {
            coder.encode(x, row);
        }
        (coder, rows)
    }

    #[test]
    fn distances_are_near_the_exact_ones() {
        let mut random = SplitMix64::new(8);
        for offset in [0.0, 1_000.0] {
            let vectors: Vec<Vec<f32>> = (0..30)
                .map(|_| (0..100).map(|_| offset + random.next_normal()).collect())
                .collect();
            let (coder, rows) = coded(&vectors, offset);
            let set = Sq8Set::new(&coder, &rows);
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
        let (coder, rows) = coded(&[vec![3.0, 4.0], vec![-300.0, 400.0], vec![0.0, 0.0]], 0.0);
        let set = Sq8Set::new(&coder, &rows);
        assert_eq!(set.len(), 3);
        assert!((set.inner_product(0, 1) - 700.0).abs() < 10.0);
        assert!((set.inner_product(1, 1) - 250_000.0).abs() < 2_000.0);
        assert_eq!(set.inner_product(1, 2), 0.0);
        assert_eq!(set.l2_squared(2, 2), 0.0);
    }

    #[test]
    fn codes_are_rounded_to_the_nearest_number() {
        let vector = vec![127.0, -127.0, 1.4, -1.6, 2.5, -3.5, 0.0];
        let (coder, rows) = coded(std::slice::from_ref(&vector), 0.0);
        assert_eq!(rows[..7], [127, -127, 1, -2, 2, -4, 0]);
        let mut decoded = [0.0; 7];
        Sq8Set::new(&coder, &rows).decode(0, &mut decoded);
        assert_eq!(decoded, [127.0, -127.0, 1.0, -2.0, 2.0, -4.0, 0.0]);
    }
}
