//! Rounding vectors to a few levels: what choosing a step takes, and the rounding itself. Plain
//! loops, vectorised for the function they are inlined in.

/// Sums over the magnitudes of a vector.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tails {
    /// Of all magnitudes.
    pub total: f64,
    /// How many reach each threshold.
    pub counts: [f64; 4],
    /// The sum of those that reach each threshold.
    pub sums: [f64; 4],
}

/// Added to a small integer it leaves that integer in the lowest bits.
const INTEGER: f32 = (1 << 23) as f32;

/// See [`crate::tails`].
#[inline(always)]
pub(crate) fn tails(values: &[f32], thresholds: [f32; 4]) -> Tails {
    let mut total = [0.0f32; 8];
    let (mut counts, mut sums) = ([[0.0f32; 8]; 4], [[0.0f32; 8]; 4]);
    let (octets, rest) = values.as_chunks::<8>();
    let mut last = [0.0; 8];
    last[..rest.len()].copy_from_slice(rest);
    for octet in octets.iter().chain([&last]) {
        let sizes = octet.map(f32::abs);
        for i in 0..8 {
            total[i] += sizes[i];
        }
        for ((count, sum), threshold) in counts.iter_mut().zip(&mut sums).zip(thresholds) {
            for i in 0..8 {
                let inside = if sizes[i] >= threshold { 1.0 } else { 0.0 };
                count[i] += inside;
                sum[i] += inside * sizes[i];
            }
        }
    }
    Tails {
        total: sum_of(&total),
        counts: counts.map(|c| sum_of(&c)),
        sums: sums.map(|s| sum_of(&s)),
    }
}

#[inline(always)]
fn sum_of(lanes: &[f32; 8]) -> f64 {
    lanes.iter().map(|&x| f64::from(x)).sum()
}

/// See [`crate::round_to_planes`].
#[inline(always)]
pub(crate) fn round_to_planes(
    values: &[f32],
    other: &[f32],
    step: f32,
    top: u32,
    plane_bytes: usize,
    planes: &mut [u8],
) -> f64 {
    planes.fill(0);
    let mut products = [0.0f32; 8];
    let (octets, rest) = values.as_chunks::<8>();
    let (others, other_rest) = other[..values.len()].as_chunks::<8>();
    let (mut last, mut other_last) = ([0.0; 8], [0.0; 8]);
    last[..rest.len()].copy_from_slice(rest);
    other_last[..rest.len()].copy_from_slice(other_rest);
    let octets = octets.iter().zip(others).chain([(&last, &other_last)]);
    for (byte, (octet, others)) in octets.take(values.len().div_ceil(8)).enumerate() {
        let rounded = round(octet, step, top);
        for i in 0..8 {
            products[i] += others[i] * rounded[i];
        }
        // Values beyond the last have no bits.
        let used = u8::MAX >> (8 * (byte + 1)).saturating_sub(values.len());
        let levels = levels(&rounded, top);
        for (plane, bits) in planes.chunks_exact_mut(plane_bytes).enumerate() {
            bits[byte] = lowest_bits(levels >> plane) & used;
        }
    }
    sum_of(&products)
}

#[inline(always)]
fn round(values: &[f32; 8], step: f32, top: u32) -> [f32; 8] {
    let mut steps = [0.5f32; 8];
    for level in 1..=top {
        let threshold = step * level as f32;
        for i in 0..8 {
            steps[i] += if values[i].abs() >= threshold { 1.0 } else { 0.0 };
        }
    }
    for i in 0..8 {
        steps[i] = steps[i].copysign(values[i]);
    }
    steps
}

/// The numbers of the levels that `rounded` holds, a byte each.
#[inline(always)]
fn levels(rounded: &[f32; 8], top: u32) -> u64 {
    let middle = top as f32 + 0.5;
    let mut bytes = [0; 8];
    for i in 0..8 {
        bytes[i] = (rounded[i] + middle + INTEGER).to_bits() as u8;
    }
    u64::from_le_bytes(bytes)
}

/// The lowest bits of the eight bytes of `word`, the first byte's lowest.
#[inline(always)]
fn lowest_bits(word: u64) -> u8 {
    // Each factor brings the bit of one byte to its place in the highest; none carries.
    ((word & 0x0101_0101_0101_0101).wrapping_mul(0x0102_0408_1020_4080) >> 56) as u8
}
