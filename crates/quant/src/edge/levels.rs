//! Rounding a residual to the levels of a plane code.

use std::f32::consts::FRAC_2_PI;

/// Number of planes a code may have.
pub(super) const MAX_PLANES: usize = 4;

/// Steps between levels that are tried, in units of the step that suits a normal distribution:
/// the best of them is within a percent of the best there is.
const STEP_TRIALS: [f32; 4] = [0.75, 0.95, 1.15, 1.45];

/// The best step between the 2, 4, 8, 16 levels of a uniform quantizer for a standard normal
/// variable (Max, Quantizing for minimum distortion, 1960).
const NORMAL_STEPS: [f32; MAX_PLANES] = [1.596, 0.9957, 0.5860, 0.3352];

/// Mean square of the levels that a standard normal variable takes, and the squared cosine between
/// it and them, for each number of planes: with D the mean squared error of the quantizer, (1 - D)
/// over the square of the step, and 1 - D (Max 1960).
pub(super) const NORMAL_LEVELS: [(f32, f32); MAX_PLANES] =
    [(0.25, FRAC_2_PI), (0.8888, 0.8812), (2.803, 0.96256), (8.797, 0.98846)];

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
        if top == 0 {
            let product = 0.5 * magnitude(residual);
            return Self { step: f32::INFINITY, top, product };
        }
        let energy = kernels::inner_product(residual, residual);
        let unit = (energy / residual.len() as f32).sqrt() * NORMAL_STEPS[planes - 1];
        let steps = STEP_TRIALS.map(|trial| (unit * trial).max(f32::MIN_POSITIVE));
        let (mut products, mut norms) = ([0.0; 4], [0.25 * residual.len() as f64; 4]);
        for level in 1..=top {
            let tails = kernels::tails(residual, steps.map(|step| step * level as f32));
            for trial in 0..STEP_TRIALS.len() {
                if level == 1 {
                    products[trial] = 0.5 * tails.total;
                }
                products[trial] += tails.sums[trial];
                norms[trial] += 2.0 * f64::from(level) * tails.counts[trial];
            }
        }
        let cosine = |&trial: &usize| products[trial] / norms[trial].sqrt();
        let trials = 0..STEP_TRIALS.len();
        let best = trials.max_by(|a, b| cosine(a).total_cmp(&cosine(b))).unwrap_or(0);
        Self { step: steps[best], top, product: products[best] }
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
        kernels::round_to_planes(residual, other, self.step, self.top, plane_bytes, code)
    }
}

/// Sum of the coordinates without their signs.
fn magnitude(residual: &[f32]) -> f64 {
    let (octets, rest) = residual.as_chunks::<8>();
    let mut lanes = [0.0f32; 8];
    for octet in octets {
        for (lane, x) in lanes.iter_mut().zip(octet) {
            *lane += x.abs();
        }
    }
    lanes.iter().chain(rest).map(|&x| f64::from(x.abs())).sum()
}
