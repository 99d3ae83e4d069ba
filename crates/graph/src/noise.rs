//! How much the estimates of a search err compared with the distances that they are to tell apart.

use vectors::Form;

use crate::format::Geometry;

/// Standard deviation of an estimate, as a part of the range of distances that a beam covers, up to
/// which the beam is wide enough as it is. On sentences, words and images one search in ten exceeds it.
const QUIET: f64 = 0.35;
/// How much wider, as a part of itself, a beam becomes for each such part beyond, and at most.
const SLOPE: f64 = 2.0;
const MOST: f64 = 1.0;
/// Of sparse vectors, the range that counts begins at this one of the nearest: those that have many
/// indices in common with the query are few and far nearer than the others, which lie as far as
/// each other. Where codes have one bit a dimension, the beam is wide enough for that.
const CROWD: usize = 10;

/// What a search has learned of its estimates: an element is estimated before it is expanded, and
/// compared exactly then.
#[derive(Debug)]
pub(crate) struct Noise {
    count: f64,
    sum: f64,
    squares: f64,
    /// Distances of the nearest elements visited, ascending, at most [`CROWD`].
    nearest: Vec<f32>,
    /// Of these, the one from which on the beam's range counts.
    first: usize,
}

impl Noise {
    /// Nothing is known yet.
    pub(crate) fn new(geometry: &Geometry) -> Self {
        let crowded = geometry.form == Form::Sparse && geometry.planes > 1;
        let first = if crowded { CROWD } else { 1 };
        let nearest = Vec::with_capacity(first + 1);
        Self { count: 0.0, sum: 0.0, squares: 0.0, nearest, first }
    }

    /// Learns from an element.
    pub(crate) fn add(&mut self, estimate: f32, exact: f32) {
        if !exact.is_nan() {
            let at = self.nearest.partition_point(|&near| near <= exact);
            self.nearest.insert(at, exact);
            self.nearest.truncate(self.first);
        }
        let error = f64::from(exact) - f64::from(estimate);
        // Where a search began nothing was estimated.
        if error != 0.0 && error.is_finite() {
            self.count += 1.0;
            self.sum += error;
            self.squares += error * error;
        }
    }

    /// Entries that a beam of `width` should have whose last is estimated at `bound`: more where the
    /// estimates of many that it left out err by as much as all lie apart, as in clusters of many
    /// dimensions without structure.
    pub(crate) fn width(&self, width: usize, bound: f32) -> usize {
        if self.count == 0.0 || !bound.is_finite() {
            return width;
        }
        let mean = self.sum / self.count;
        let deviation = (self.squares / self.count - mean * mean).max(0.0).sqrt();
        let first = self.nearest.last().map_or(f64::INFINITY, |&first| first.into());
        let range = (f64::from(bound) - first).max(0.0);
        if deviation <= QUIET * range {
            return width;
        }
        // Infinite where the range is empty.
        let beyond = deviation / (QUIET * range) - 1.0;
        (width as f64 * (1.0 + (SLOPE * beyond).min(MOST))) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn geometry(form: Form) -> Geometry {
        Geometry::choose(form, 100, 16, true).expect("fits")
    }

    #[test]
    fn beams_become_wider_where_estimates_err_by_as_much_as_distances_lie_apart() {
        let width = |error: f32, bound: f32| {
            let mut noise = Noise::new(&geometry(Form::Halves));
            // Where a search begins.
            noise.add(f32::INFINITY, 20.0);
            noise.add(10.0, 10.0);
            for i in 0..10 {
                let error = if i % 2 == 0 { error } else { -error };
                noise.add(11.0 + i as f32 + error, 11.0 + i as f32);
            }
            noise.width(100, bound)
        };
        assert_eq!(width(1.0, 20.0), 100, "precise");
        assert!((110..200).contains(&width(4.0, 20.0)), "vague");
        assert_eq!(width(10.0, 20.0), 200, "useless");
        assert_eq!(width(1.0, 9.0), 200, "no range");
        assert_eq!(width(10.0, f32::INFINITY), 100, "the beam is not full");
        assert_eq!(Noise::new(&geometry(Form::Halves)).width(100, 20.0), 100);
    }

    #[test]
    fn few_sparse_vectors_that_are_far_nearer_do_not_count() {
        let width = |form| {
            let mut noise = Noise::new(&geometry(form));
            for i in 0..40 {
                let exact = if i < 5 { 1.0 } else { 100.0 + i as f32 };
                noise.add(if i % 2 == 0 { exact + 20.0 } else { exact - 20.0 }, exact);
            }
            noise.width(100, 140.0)
        };
        assert_eq!(width(Form::Halves), 100);
        assert_eq!(width(Form::Sparse), 200);
    }
}
