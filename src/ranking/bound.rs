//! Bounds of scores, which are `real`.

/// The `real` that a bound means, given as `double precision`: the nearest, as 0.9 means the score
/// that shows as 0.9. Only 0 becomes 0, so that a score of 0 is below any positive bound.
pub fn nearest(bound: f64) -> f32 {
    let real = bound as f32;
    if real == 0.0 && bound != 0.0 { f32::from_bits(1).copysign(real) } else { real }
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn bounds_keep_their_side() {
        for exact in [0.0, 0.5, -2.25, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(f64::from(nearest(exact)), exact);
        }
        assert_eq!(nearest(0.9), 0.9);
        assert_eq!(nearest(1e300), f32::INFINITY);
        assert!(nearest(1e-300) > 0.0 && nearest(-1e-300) < 0.0);
        assert!(nearest(f64::NAN).is_nan());
    }
}
