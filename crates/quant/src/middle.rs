//! A point amid vectors, wherever a few of them are.

/// At each end of the values of a coordinate, the part that does not count: what lies out there may be
/// anything.
const TRIMMED: usize = 8;

/// In each coordinate the mean of `vectors` without the eighth of the values at either end (a trimmed
/// mean); zero where that is not finite. Vectors lie one after another and have `dims` dimensions, at
/// least one. Sorts as many numbers as there are vectors, `dims` times: a sample will do.
///
/// # Panics
/// If `values` has another length than there are vectors.
pub fn trimmed_mean(vectors: &[f32], dims: usize, values: &mut [f32]) -> Vec<f32> {
    let count = vectors.len() / dims;
    assert_eq!(values.len(), count);
    let ends = count / TRIMMED;
    let mean = |i: usize| {
        let column = vectors[i..].iter().step_by(dims);
        values.iter_mut().zip(column).for_each(|(value, &x)| *value = x);
        values.sort_unstable_by(f32::total_cmp);
        let kept = &values[ends..count - ends];
        let sum: f64 = kept.iter().map(|&x| f64::from(x)).sum();
        let mean = (sum / kept.len().max(1) as f64) as f32;
        // Rotated, the largest numbers are infinite.
        if mean.is_finite() { mean } else { 0.0 }
    };
    if count == 0 { vec![0.0; dims] } else { (0..dims).map(mean).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outliers_do_not_move_the_middle() {
        let mut vectors: Vec<f32> = (0..20).flat_map(|i| [i as f32, -1.0]).collect();
        vectors[6] = 1e30;
        vectors[7] = f32::INFINITY;
        let middle = trimmed_mean(&vectors, 2, &mut [0.0; 20]);
        assert!((middle[0] - 10.0).abs() < 1.0 && middle[1] == -1.0, "{middle:?}");
        assert_eq!(trimmed_mean(&[], 3, &mut []), [0.0; 3]);
        assert_eq!(trimmed_mean(&[f32::INFINITY, 2.0], 2, &mut [0.0]), [0.0, 2.0]);
    }
}
