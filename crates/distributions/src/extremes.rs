//! Vectors of whatever finite numbers there are.

use quant::SplitMix64;

/// `count` vectors drawn from `seed`: of numbers of any size, all of one size, of one number that is
/// not zero, and twice the same.
pub fn extremes(seed: u64, count: usize, dims: usize) -> Vec<Vec<f32>> {
    let mut random = SplitMix64::new(seed);
    let mut vectors: Vec<Vec<f32>> = Vec::new();
    while vectors.len() < count {
        let scale = number(&mut random);
        vectors.push(match random.next_u64() % 4 {
            0 => (0..dims).map(|_| number(&mut random)).collect(),
            1 => (0..dims).map(|_| scale * (random.next_f32() - 0.5)).collect(),
            2 => (0..dims).map(|i| if i == 0 { scale } else { 0.0 }).collect(),
            _ => vectors.last().cloned().unwrap_or_else(|| vec![scale; dims]),
        });
    }
    vectors
}

/// A number of any exponent, or one of those at the ends.
fn number(random: &mut SplitMix64) -> f32 {
    let ends = [0.0, -0.0, f32::MAX, f32::MIN, f32::MIN_POSITIVE, f32::from_bits(1), 1.0];
    match random.next_u64() % 24 {
        end @ 0..7 => ends[end as usize],
        _ => loop {
            let number = f32::from_bits(random.next_u64() as u32);
            if number.is_finite() {
                break number;
            }
        },
    }
}
