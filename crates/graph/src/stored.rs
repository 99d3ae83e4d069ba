//! Vectors as records hold them.

use pages::{Form, Record};
use quant::{Metric, encode_half, half_scale};

use crate::Hnsw;

/// A vector in the form that records hold.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stored {
    pub(crate) bytes: Vec<u8>,
    /// Halves are multiplied by two to the power of it.
    pub(crate) exponent: i8,
    /// Upper bound of what narrowing lost, in the norm that suits the metric.
    pub(crate) error: f32,
}

impl Stored {
    /// A place for vectors of `dims` dimensions.
    pub(crate) fn new(form: Form, dims: usize) -> Self {
        Self { bytes: vec![0; form.bytes(dims)], exponent: 0, error: 0.0 }
    }

    /// Takes the form of `vector`.
    pub(crate) fn set(&mut self, form: Form, metric: Metric, vector: &[f32]) {
        match form {
            Form::Halves => {
                let info = encode_half(vector, self.bytes.as_chunks_mut().0);
                self.exponent = info.exponent;
                self.error = if metric == Metric::L1 { info.error_l1 } else { info.error_l2 };
            }
            Form::Bits => pack(vector, &mut self.bytes),
        }
    }
}

/// Sets the bits of the numbers that are not zero, from the highest of each byte on.
pub(crate) fn pack(vector: &[f32], bits: &mut [u8]) {
    for (byte, numbers) in bits.iter_mut().zip(vector.chunks(8)) {
        let numbers = numbers.iter().enumerate();
        *byte = numbers.fold(0, |byte, (i, &x)| byte | u8::from(x != 0.0) << (7 - i));
    }
}

/// Writes a vector that is held in `form` as numbers; halves are multiplied by `scale`.
pub(crate) fn widen(form: Form, bytes: &[u8], scale: f32, out: &mut [f32]) {
    match form {
        Form::Halves => kernels::widen_f16(bytes.as_chunks().0, scale, out),
        Form::Bits => {
            for (i, number) in out.iter_mut().enumerate() {
                *number = f32::from(bytes[i / 8] >> (7 - i % 8) & 1);
            }
        }
    }
}

/// The vector of an element, as [`Hnsw::ranked`] gives it.
pub(crate) fn vector_of(hnsw: &Hnsw, record: &Record<'_>) -> Vec<f32> {
    let geometry = hnsw.geometry();
    let mut vector = vec![0.0; geometry.dims];
    let scale = half_scale(record.element().exponent);
    widen(geometry.form, record.vector(), scale, &mut vector);
    hnsw.ranked(vector)
}

/// Rank between two vectors of bits.
pub(crate) fn rank_bits(metric: Metric, a: &[u8], b: &[u8]) -> f32 {
    bit_distance(metric, a, b) as f32
}

/// Distance between two vectors of bits, which are of the same length.
pub(crate) fn bit_distance(metric: Metric, a: &[u8], b: &[u8]) -> f64 {
    if metric == Metric::Jaccard {
        let (common, either) = kernels::jaccard_terms(a, b);
        if common == 0 { 1.0 } else { 1.0 - f64::from(common) / f64::from(either) }
    } else {
        f64::from(kernels::hamming(a, b))
    }
}
