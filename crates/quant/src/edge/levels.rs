//! Rounding a residual to the levels of a plane code.

/// Number of planes a code may have.
pub(super) const MAX_PLANES: usize = 4;

/// Steps between levels that are tried, in units of the step that suits a normal distribution:
/// the best of them is within a percent of the best there is.
const STEP_TRIALS: [f32; 6] = [0.7, 0.85, 1.0, 1.15, 1.3, 1.6];

/// The best step between the 2, 4, 8, 16 levels of a uniform quantizer for a standard normal
/// variable (Max, Quantizing for minimum distortion, 1960).
const NORMAL_STEPS: [f32; MAX_PLANES] = [1.596, 0.9957, 0.5860, 0.3352];

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

    /// The level of coordinate `r`, counted from 0 for the most negative.
    fn value(&self, r: f32) -> u32 {
        let mut steps = 0;
        for level in 1..=self.top {
            steps += u32::from(r.abs() >= self.step * level as f32);
        }
        if r.is_sign_negative() { self.top - steps } else { self.top + 1 + steps }
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
            let mut planes = [0u8; MAX_PLANES];
            let mut part = 0.0f32;
            for (bit, (&r, &o)) in rs.iter().zip(os).enumerate() {
                let value = self.value(r);
                part += o * (value as f32 - middle);
                for (plane, bits) in planes.iter_mut().enumerate() {
                    *bits |= ((value >> plane & 1) as u8) << bit;
                }
            }
            product += f64::from(part);
            for (plane, bits) in code.chunks_exact_mut(plane_bytes).zip(planes) {
                plane[byte] = bits;
            }
        }
        product
    }
}

/// How many of `values` have a magnitude of at least `threshold`, and the sum of these.
fn sum_at_least(values: &[f32], threshold: f32) -> (f64, f64) {
    let add = |(count, sum): (f32, f32), value: f32| {
        let value = value.abs();
        let inside = f32::from(value >= threshold);
        (count + inside, sum + if value >= threshold { value } else { 0.0 })
    };
    let (lanes, rest) = values.as_chunks::<8>();
    let mut sums = [(0.0f32, 0.0f32); 8];
    for lane in lanes {
        for (sum, &value) in sums.iter_mut().zip(lane) {
            *sum = add(*sum, value);
        }
    }
    for (sum, &value) in sums.iter_mut().zip(rest) {
        *sum = add(*sum, value);
    }
    sums.iter()
        .fold((0.0, 0.0), |(c, s), (count, sum)| (c + f64::from(*count), s + f64::from(*sum)))
}
