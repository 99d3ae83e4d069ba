//! Norms, which are summed in double precision, and the angle between unit vectors.

use super::round::{CHUNK, nearest, widened};
use super::{DenseBuf, DenseRef, Element, check};
use crate::pg::error::Report;
use crate::types::error;

/// Angle between unit vectors as part of a half turn; a metric, which 1 - cos is not.
pub fn spherical<E: Element>(a: DenseRef<E>, b: DenseRef<E>) -> Result<f64, Report> {
    check::same_dims(&a, &b)?;
    let cos = kernels::inner_product::<E>(&a, &b).into().clamp(-1.0, 1.0);
    Ok(cos.acos() / std::f64::consts::PI)
}

/// Euclidean norm.
pub fn norm<E: Element>(vector: DenseRef<E>) -> f64 {
    norm_of(&vector)
}

/// The vector divided by its norm; the zero vector stays.
pub fn normalize<E: Element>(vector: DenseRef<E>) -> Result<DenseBuf<E>, Report> {
    let norm = match norm_of(&vector) {
        0.0 => 1.0,
        norm => norm,
    };
    let mut space = [0.0; CHUNK];
    let normalized = nearest(vector.len(), |at, out| {
        let numbers = E::widen(&vector[at..at + out.len()], &mut space[..out.len()]);
        out.iter_mut().zip(numbers).for_each(|(out, &x)| *out = (f64::from(x) / norm) as f32);
    });
    normalized?.ok_or_else(error::overflow)
}

fn norm_of<E: Element>(vector: &[E]) -> f64 {
    // Several sums, as one would have each addition wait for the last.
    const LANES: usize = 8;
    let mut sums = [0.0; LANES];
    widened(vector, |_, numbers| {
        let (chunks, rest) = numbers.as_chunks::<LANES>();
        let mut add = |numbers: &[f32]| {
            let squares = numbers.iter().map(|&x| f64::from(x) * f64::from(x));
            sums.iter_mut().zip(squares).for_each(|(sum, square)| *sum += square);
        };
        chunks.iter().for_each(|chunk| add(chunk));
        add(rest);
    });
    sums.iter().sum::<f64>().sqrt()
}
