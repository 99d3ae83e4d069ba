//! Vectors as records hold them.

use pages::{Element, Form, Record};
use quant::{Metric, encode_half};

use crate::Hnsw;
use crate::bits::{pack, unpack};

/// A vector in the form that records hold.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stored {
    pub(crate) bytes: Vec<u8>,
    /// What stored numbers are multiplied by.
    pub(crate) scale: f32,
    /// Upper bound of what the form lost, in the norm that suits the metric.
    pub(crate) error: f32,
}

/// How an index holds vectors.
#[derive(Debug)]
pub(crate) struct Holder {
    form: Form,
    metric: Metric,
    dims: usize,
}

impl Holder {
    /// For vectors of `dims` dimensions.
    pub(crate) fn new(form: Form, metric: Metric, dims: usize) -> Self {
        Self { form, metric, dims }
    }

    /// What records hold.
    pub(crate) fn form(&self) -> Form {
        self.form
    }

    /// A place for a vector.
    pub(crate) fn empty(&self) -> Stored {
        Stored { bytes: vec![0; self.form.bytes(self.dims)], scale: 1.0, error: 0.0 }
    }

    /// Holds `vector` in `stored`, a place for it.
    pub(crate) fn store(&self, vector: &[f32], stored: &mut Stored) {
        match self.form {
            Form::Floats => {
                let (floats, _) = stored.bytes.as_chunks_mut();
                floats.iter_mut().zip(vector).for_each(|(out, x)| *out = x.to_le_bytes());
            }
            Form::Halves => {
                let info = encode_half(vector, stored.bytes.as_chunks_mut().0);
                stored.scale = info.scale();
                let l1 = self.metric == Metric::L1;
                stored.error = if l1 { info.error_l1 } else { info.error_l2 };
            }
            Form::Bits => pack(vector, &mut stored.bytes),
        }
    }

    /// Writes a vector as numbers, `scale` times those that are held.
    pub(crate) fn widen(&self, bytes: &[u8], scale: f32, out: &mut [f32]) {
        match self.form {
            Form::Floats => {
                let (floats, _) = bytes.as_chunks();
                out.iter_mut()
                    .zip(floats)
                    .for_each(|(out, x)| *out = scale * f32::from_le_bytes(*x));
            }
            Form::Halves => kernels::widen_f16(bytes.as_chunks().0, scale, out),
            Form::Bits => unpack(bytes, out),
        }
    }

    /// The scale that makes a vector what ranks are computed from: under cosine of length one.
    pub(crate) fn ranked_scale(&self, element: &Element) -> f32 {
        if self.metric == Metric::Cosine { element.scale / element.norm } else { element.scale }
    }
}

/// The vector of an element, as [`Hnsw::ranked`] gives it.
pub(crate) fn vector_of(hnsw: &Hnsw, record: &Record<'_>) -> Vec<f32> {
    let mut vector = vec![0.0; hnsw.geometry().dims];
    hnsw.holder().widen(record.vector(), record.element().scale, &mut vector);
    hnsw.ranked(vector)
}
