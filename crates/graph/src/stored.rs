//! Vectors as records hold them.

use quant::{
    CoarseInfo, Metric, Rotation, cosine_is_safe, encode_coarse, encode_half, nibble, pack_nibbles,
    random_part,
};
use vectors::Form;

use crate::Hnsw;
use crate::bits::{pack, unpack};
use crate::format::{Element, Record};
use crate::sparse;
use crate::vector::{Vector, VectorBuf, norm, unit};

/// Length below which a vector may vanish where it is rotated.
const LEAST_NORM: f32 = 1e-30;

/// A vector in the form that records hold.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stored {
    pub(crate) bytes: Vec<u8>,
    /// What stored numbers are multiplied by.
    pub(crate) scale: f32,
    /// Upper bound of what the form lost, in the norm that suits the metric.
    pub(crate) error: f32,
    /// Euclidean norm of the vector; of what is rounded, where it is rotated before.
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
    /// What is taken off rotated vectors, in each dimension: levels are those of what is left. Zero
    /// for inner products, which it would change.
    center: Vec<f32>,
}

impl Holder {
    /// For vectors of `dims` dimensions; `seed` is the rotation's.
    pub(crate) fn new(form: Form, metric: Metric, dims: usize, seed: u64) -> Self {
        let rotation = form.is_rotated().then(|| Rotation::new(dims, seed));
        let center = if form.is_rotated() { vec![0.0; dims] } else { Vec::new() };
        Self { form, metric, dims, rotation, center }
    }

    /// Whether vectors can be held relative to a center.
    pub(crate) fn takes_center(&self) -> bool {
        self.rotation.is_some() && self.metric != Metric::InnerProduct
    }

    /// Holds vectors relative to `center`, rotated, if they can be; what it lacks is zero.
    pub(crate) fn set_center(&mut self, center: &[f32]) {
        if self.takes_center() {
            self.center.iter_mut().zip(center).for_each(|(own, &x)| *own = x);
        }
    }

    /// What vectors are held relative to, if not to zero.
    pub(crate) fn center(&self) -> Option<&[f32]> {
        self.center.iter().any(|&x| x != 0.0).then_some(&self.center)
    }

    /// The part of what rounding lost that may lie along a query.
    pub(crate) fn random_part(&self) -> f64 {
        if self.form == Form::Rabitq { random_part(self.dims) } else { 1.0 }
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

    /// Rounds the vector as [`turned`](Self::turned) to levels of `-top..=top`. Nothing is known, and
    /// the error infinite, where rotating it there and back overflows or loses all, for which zeros are
    /// held, and where the operator's cosine may be anything.
    fn round(&self, vector: &[f32], top: i8, stored: &mut Stored) -> Vec<i8> {
        let (whole, cosine) = (stored.norm, self.metric == Metric::Cosine);
        let mut levels = vec![0; self.dims];
        (stored.scale, stored.error) = (0.0, f32::INFINITY);
        if !cosine && whole > f32::MAX / (4 * self.dims.max(1)) as f32 {
            return levels;
        }
        let turned = self.turned(vector.into());
        let CoarseInfo { scale, error } = encode_coarse(turned.values(), top, &mut levels);
        if !cosine && scale == 0.0 && whole > 0.0 && whole < LEAST_NORM {
            return levels;
        }
        stored.scale = scale;
        if self.takes_center() {
            stored.norm = norm(turned.values());
        }
        if !cosine || cosine_is_safe(whole.into(), 1.0) {
            stored.error = error;
        }
        levels
    }

    /// The vector as it is rounded: where vectors are rotated, that relative to the center, under
    /// cosine of length one before.
    pub(crate) fn turned(&self, vector: Vector<'_>) -> VectorBuf {
        let Some(rotation) = &self.rotation else { return vector.to_buf() };
        let mut turned = vector.to_buf();
        if self.metric == Metric::Cosine {
            let whole = norm(vector.values());
            rotation.apply(&unit(vector.values(), whole), turned.values_mut());
        } else {
            rotation.apply(vector.values(), turned.values_mut());
        }
        turned.values_mut().iter_mut().zip(&self.center).for_each(|(x, center)| *x -= center);
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
            out.iter_mut().zip(&self.center).for_each(|(x, center)| *x += center);
            rotation.undo(out);
        }
    }

    /// The scale that gives a widened vector the length that it had, relative to the center.
    pub(crate) fn true_scale(&self, scale: f32, error: f32, norm: f32) -> f32 {
        if !self.form.is_rotated() || error == f32::INFINITY {
            return scale;
        }
        let kept = norm / norm.hypot(error);
        // Not a number where the vector is the center.
        if kept.is_nan() { 0.0 } else { scale * kept }
    }

    /// The scale that makes a vector what ranks are computed from: under cosine of length one.
    pub(crate) fn ranked_scale(&self, element: &Element) -> f32 {
        let scale = self.true_scale(element.scale, element.error, element.norm);
        let whole = self.metric == Metric::Cosine && !self.form.is_rotated();
        if whole { scale / element.norm } else { scale }
    }
}

/// The vector of an element, as [`Hnsw::ranked`] gives it.
pub(crate) fn vector_of(hnsw: &Hnsw, record: &Record<'_>) -> VectorBuf {
    let Element { scale, error, norm, .. } = record.element();
    let scale = hnsw.holder().true_scale(scale, error, norm);
    hnsw.ranked(hnsw.holder().widened(record.vector(), scale))
}
