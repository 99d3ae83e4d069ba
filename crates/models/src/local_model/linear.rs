//! Layers that every number of a vector goes through: linear ones, and normalization.

use std::sync::atomic::AtomicBool;

use super::functions::moments;
use crate::Error;
use crate::error::{go_on, out_of_memory};

/// Vectors that are multiplied together at most.
pub(super) const ROWS: usize = 256;
/// Products of two numbers between looks at the flag that stops a call: a few milliseconds.
pub(super) const MOST_WORK: usize = 1 << 25;

/// Multiplies vectors by a matrix, and adds a vector.
#[derive(Debug)]
pub(super) struct Linear {
    /// A row for each number that comes out.
    pub(super) weight: Vec<f32>,
    pub(super) bias: Vec<f32>,
}

impl Linear {
    /// Puts what it makes of the vectors in `input` into `out`.
    ///
    /// # Errors
    /// If `stop` is set, or memory is refused.
    pub(super) fn apply(
        &self,
        input: &[f32],
        out: &mut [f32],
        stop: &AtomicBool,
    ) -> Result<(), Error> {
        self.write(input, out, stop, |_, new| new)
    }

    /// Adds what it makes of the vectors in `input` to `out`.
    ///
    /// # Errors
    /// As [`Linear::apply`].
    pub(super) fn add(
        &self,
        input: &[f32],
        out: &mut [f32],
        stop: &AtomicBool,
    ) -> Result<(), Error> {
        self.write(input, out, stop, |old, new| old + new)
    }

    fn write(
        &self,
        input: &[f32],
        out: &mut [f32],
        stop: &AtomicBool,
        combine: impl Fn(f32, f32) -> f32,
    ) -> Result<(), Error> {
        let outputs = self.bias.len();
        let inputs = self.weight.len() / outputs;
        let rows = ROWS.min(input.len() / inputs).max(1);
        let columns = (MOST_WORK / (rows * inputs)).clamp(1, outputs);
        let mut products = memory::filled(rows * columns, 0.0).map_err(out_of_memory)?;
        for (input, out) in input.chunks(rows * inputs).zip(out.chunks_mut(rows * outputs)) {
            let rows = memory::collected(input.chunks_exact(inputs)).map_err(out_of_memory)?;
            for start in (0..outputs).step_by(columns) {
                go_on(stop)?;
                let part = start..outputs.min(start + columns);
                let products = &mut products[..rows.len() * part.len()];
                let weight = &self.weight[part.start * inputs..part.end * inputs];
                kernels::inner_products(&rows, weight, inputs, products);
                let bias = &self.bias[part.clone()];
                let products = products.chunks_exact(part.len());
                for (out, products) in out.chunks_exact_mut(outputs).zip(products) {
                    for ((old, new), bias) in out[part.clone()].iter_mut().zip(products).zip(bias) {
                        *old = combine(*old, new + bias);
                    }
                }
            }
        }
        Ok(())
    }
}

/// Moves and scales each vector so that its numbers have the mean 0 and the variance 1, and then as
/// the model says. Ba, Kiros, and Hinton, 2016.
#[derive(Debug)]
pub(super) struct Norm {
    pub(super) weight: Vec<f32>,
    pub(super) bias: Vec<f32>,
    /// Added to the variance.
    pub(super) epsilon: f32,
}

impl Norm {
    /// # Errors
    /// If `stop` is set.
    pub(super) fn apply(&self, vectors: &mut [f32], stop: &AtomicBool) -> Result<(), Error> {
        for vector in vectors.chunks_exact_mut(self.weight.len()) {
            go_on(stop)?;
            let (mean, variance) = moments(vector);
            let scale = 1.0 / (variance + self.epsilon).sqrt();
            for ((value, weight), bias) in vector.iter_mut().zip(&self.weight).zip(&self.bias) {
                *value = (*value - mean) * scale * weight + bias;
            }
        }
        Ok(())
    }
}
