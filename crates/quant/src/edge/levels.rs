//! Rounding a residual to the levels of a plane code.

/// Number of planes a code may have.
pub(super) const MAX_PLANES: usize = 4;

/// Steps between levels that are tried, in units of the step that suits a normal distribution:
/// the best of them is within a percent of the best there is.
const STEP_TRIALS: [f32; 4] = [0.75, 0.95, 1.15, 1.45];

/// The best step between the 2, 4, 8, 16 levels of a uniform quantizer for a standard normal
/// variable (Max, Quantizing for minimum distortion, 1960).
const NORMAL_STEPS: [f32; MAX_PLANES] = [1.596, 0.9957, 0.5860, 0.3352];

/// Added to a small integer it leaves that integer in the lowest bits.
const INTEGER: f32 = (1 << 23) as f32;

/// Levels x̄ chosen for a residual: coordinate i becomes sign(r_i) · (l + 1/2), where l counts
/// the whole steps in |r_i|, up to the largest level.
pub(super) struct Levels {
    step: f32,
    /// Largest l.
    top: u32,
    /// ⟨r, x̄⟩ over the coded coordinates.
    pub(super) product: f64,
}

impl Levels {
    /// Chooses the step that brings x̄ closest in angle to `residual`, for 1 ..= 4 planes.
    pub(super) fn fit(residual: &[f32], planes: usize) -> Self {
        let top = (1u32 << (planes - 1)) - 1;
        let sum = sum_at_least(residual, 0.0).1;
        let mut best = Self { step: f32::INFINITY, top, product: 0.5 * sum };
        if top == 0 {
            return best;
        }
        let energy: f32 = residual.iter().map(|r| r * r).sum();
        let unit = (energy / residual.len() as f32).sqrt() * NORMAL_STEPS[planes - 1];
        let mut best_cos = 0.0;
        for trial in STEP_TRIALS {
            let step = unit * trial;
            let (mut product, mut norm) = (0.5 * sum, 0.25 * residual.len() as f64);
            for level in 1..=top {
                let (count, sum) = sum_at_least(residual, step * level as f32);
                product += sum;
                norm += 2.0 * f64::from(level) * count;
            }
            let cos = product / norm.sqrt();
            if cos > best_cos {
                best_cos = cos;
                best = Self { step, top, product };
            }
        }
        best
    }

    /// x̄ of eight coordinates.
    fn round(&self, residual: &[f32; 8]) -> [f32; 8] {
        let mut steps = [0.5f32; 8];
        for level in 1..=self.top {
            let threshold = self.step * level as f32;
            for (steps, r) in steps.iter_mut().zip(residual) {
                *steps += if r.abs() >= threshold { 1.0 } else { 0.0 };
            }
        }
        std::array::from_fn(|i| steps[i].copysign(residual[i]))
    }

    /// Writes the levels of `residual` as bit planes of `plane_bytes` bytes to `code` and
    /// returns ⟨`other`, x̄⟩.
    pub(super) fn write(
        &self,
        residual: &[f32],
        other: &[f32],
        plane_bytes: usize,
        code: &mut [u8],
    ) -> f64 {
        code.fill(0);
        let middle = self.top as f32 + 0.5;
        let mut product = 0.0f64;
        for (byte, (rs, os)) in residual.chunks(8).zip(other.chunks(8)).enumerate() {
            let (mut r, mut o) = ([0.0; 8], [0.0; 8]);
            r[..rs.len()].copy_from_slice(rs);
            o[..rs.len()].copy_from_slice(&os[..rs.len()]);
            let rounded = self.round(&r);
            product += f64::from(o.iter().zip(&rounded).map(|(o, x)| o * x).sum::<f32>());
            // Coordinates beyond the last have no bits.
            let used = u8::MAX >> (8 - rs.len());
            let levels =
                u64::from_le_bytes(rounded.map(|x| (x + middle + INTEGER).to_bits() as u8));
            for (plane, bits) in code.chunks_exact_mut(plane_bytes).enumerate() {
                bits[byte] = lowest_bits(levels >> plane) & used;
            }
        }
        product
    }
}

/// The lowest bits of the eight bytes of `word`, the first byte's lowest.
fn lowest_bits(word: u64) -> u8 {
    // Each factor brings the bit of one byte to its place in the highest; none carries.
    ((word & 0x0101_0101_0101_0101).wrapping_mul(0x0102_0408_1020_4080) >> 56) as u8
}

/// How many of `values` have a magnitude of at least `threshold`, and the sum of these.
fn sum_at_least(values: &[f32], threshold: f32) -> (f64, f64) {
    let (mut counts, mut sums) = ([0.0f32; 8], [0.0f32; 8]);
    let (lanes, rest) = values.as_chunks::<8>();
    let mut last = [-0.0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let beyond = if threshold <= 0.0 { 8 - rest.len() } else { 0 };
    for lane in lanes.iter().chain([&last]) {
        for i in 0..8 {
            let size = lane[i].abs();
            let inside = if size >= threshold { 1.0 } else { 0.0 };
            counts[i] += inside;
            sums[i] += inside * size;
        }
    }
    let total = |of: [f32; 8]| of.iter().map(|&x| f64::from(x)).sum::<f64>();
    (total(counts) - beyond as f64, total(sums))
}
