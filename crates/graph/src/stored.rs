//! Vectors as records hold them.

use pages::{Element, Form, Record};
use quant::{Metric, Rotation, encode_half, encode_turned, nibble, pack_nibbles};

use crate::Hnsw;
use crate::bits::{pack, unpack};
use crate::sparse;
use crate::vector::{Vector, VectorBuf, norm};

/// A vector in the form that records hold.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stored {
    pub(crate) bytes: Vec<u8>,
    /// What stored numbers are multiplied by.
    pub(crate) scale: f32,
    /// Upper bound of what the form lost, in the norm that suits the metric.
    pub(crate) error: f32,
    /// Euclidean norm of the vector.
    pub(crate) norm: f32,
}

/// How an index holds vectors.
#[derive(Debug)]
pub(crate) struct Holder {
    form: Form,
    metric: Metric,
    dims: usize,
    /// Where vectors are rotated before they are rounded.
    rotation: Option<Rotation>,
}

impl Holder {
    /// For vectors of `dims` dimensions; `seed` is the rotation's.
    pub(crate) fn new(form: Form, metric: Metric, dims: usize, seed: u64) -> Self {
        let rotation = form.is_rotated().then(|| Rotation::new(dims, seed));
        Self { form, metric, dims, rotation }
    }

    /// How vectors are compared.
    pub(crate) fn metric(&self) -> Metric {
        self.metric
    }

    /// What records hold.
    pub(crate) fn form(&self) -> Form {
        self.form
    }

    /// A place for a vector.
    pub(crate) fn empty(&self) -> Stored {
        let sparse = self.form == Form::Sparse;
        let bytes = if sparse { Vec::new() } else { vec![0; self.form.bytes(self.dims)] };
        Stored { bytes, scale: 1.0, error: 0.0, norm: 0.0 }
    }

    /// A vector without length.
    pub(crate) fn zero(&self) -> VectorBuf {
        if self.form == Form::Sparse {
            VectorBuf::Sparse { indices: Vec::new(), values: Vec::new() }
        } else {
            VectorBuf::Dense(vec![0.0; self.dims])
        }
    }

    /// Holds `vector` in `stored`, a place for it.
    pub(crate) fn store(&self, vector: Vector<'_>, stored: &mut Stored) {
        let numbers = vector.values();
        stored.norm = norm(numbers);
        match self.form {
            Form::Floats => {
                let (floats, _) = stored.bytes.as_chunks_mut();
                floats.iter_mut().zip(numbers).for_each(|(out, x)| *out = x.to_le_bytes());
            }
            Form::Halves => {
                let info = encode_half(numbers, stored.bytes.as_chunks_mut().0);
                stored.scale = info.scale();
                let l1 = self.metric == Metric::L1;
                stored.error = if l1 { info.error_l1 } else { info.error_l2 };
            }
            Form::Bits => pack(numbers, &mut stored.bytes),
            Form::Bytes => {
                let places = stored.bytes.iter_mut().zip(numbers);
                places.for_each(|(byte, &x)| *byte = (x as i8).to_ne_bytes()[0]);
            }
            Form::Sparse => sparse::pack(vector.elements(), &mut stored.bytes),
            Form::Sq8 => {
                let levels = self.round(numbers, i8::MAX, stored);
                let places = stored.bytes.iter_mut().zip(levels);
                places.for_each(|(byte, level)| *byte = level.to_ne_bytes()[0]);
            }
            Form::Rabitq => {
                let levels = self.round(numbers, 7, stored);
                pack_nibbles(&levels, &mut stored.bytes);
            }
        }
    }

    /// Rounds the rotated vector to levels of `-top..=top`.
    fn round(&self, vector: &[f32], top: i8, stored: &mut Stored) -> Vec<i8> {
        let mut levels = vec![0; self.dims];
        let info = encode_turned(vector, stored.norm, self.rotation.as_ref(), top, &mut levels);
        (stored.scale, stored.error) = (info.scale, info.error);
        levels
    }

    /// The vector as it is rounded: rotated, where vectors are.
    pub(crate) fn turned(&self, vector: Vector<'_>) -> VectorBuf {
        let mut turned = vector.to_buf();
        if let Some(rotation) = &self.rotation {
            rotation.apply(vector.values(), turned.values_mut());
        }
        turned
    }

    /// Whether rows that were stored as `a` and `b` can share an element.
    pub(crate) fn alike(&self, a: (&[u8], f32, f32), b: &Stored) -> bool {
        let (bytes, scale, norm) = a;
        // Estimates of distances rest on the norm.
        let alike = !self.form.is_rotated() || norm == b.norm;
        alike && scale == b.scale && bytes == b.bytes
    }

    /// A vector as numbers, `scale` times those that are held.
    pub(crate) fn widened(&self, bytes: &[u8], scale: f32) -> VectorBuf {
        if self.form == Form::Sparse {
            return sparse::unpack(bytes, scale);
        }
        let mut vector = vec![0.0; self.dims];
        self.widen(bytes, scale, &mut vector);
        VectorBuf::Dense(vector)
    }

    /// Writes a dense vector as numbers.
    fn widen(&self, bytes: &[u8], scale: f32, out: &mut [f32]) {
        match self.form {
            Form::Sparse => {}
            Form::Floats => {
                let (floats, _) = bytes.as_chunks();
                out.iter_mut()
                    .zip(floats)
                    .for_each(|(out, x)| *out = scale * f32::from_le_bytes(*x));
            }
            Form::Halves => kernels::widen_f16(bytes.as_chunks().0, scale, out),
            Form::Bits => unpack(bytes, out),
            Form::Bytes | Form::Sq8 => {
                let levels = bytes.iter().map(|&byte| f32::from(i8::from_ne_bytes([byte])));
                out.iter_mut().zip(levels).for_each(|(out, level)| *out = scale * level);
            }
            Form::Rabitq => {
                let levels = out.iter_mut().enumerate();
                levels.for_each(|(i, out)| *out = scale * f32::from(nibble(bytes, i)));
            }
        }
        if let Some(rotation) = &self.rotation {
            rotation.undo(out);
        }
    }

    /// The scale that gives a widened vector the length that it had.
    pub(crate) fn true_scale(&self, scale: f32, error: f32, norm: f32) -> f32 {
        if !self.form.is_rotated() {
            return scale;
        }
        let kept = norm / norm.hypot(error);
        // Not a number where nothing is known of the vector.
        if kept.is_nan() { 0.0 } else { scale * kept }
    }

    /// The scale that makes a vector what ranks are computed from: under cosine of length one.
    pub(crate) fn ranked_scale(&self, element: &Element) -> f32 {
        let scale = self.true_scale(element.scale, element.error, element.norm);
        if self.metric == Metric::Cosine { scale / element.norm } else { scale }
    }
}

/// The vector of an element, as [`Hnsw::ranked`] gives it.
pub(crate) fn vector_of(hnsw: &Hnsw, record: &Record<'_>) -> VectorBuf {
    let Element { scale, error, norm, .. } = record.element();
    let scale = hnsw.holder().true_scale(scale, error, norm);
    hnsw.ranked(hnsw.holder().widened(record.vector(), scale))
}
