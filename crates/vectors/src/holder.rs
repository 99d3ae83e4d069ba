//! Vectors as pages hold them.

use quant::{
    CoarseInfo, Metric, Rotation, cosine_is_safe, encode_coarse, encode_half, nibble, pack_nibbles,
    random_part,
};

use crate::bits::{pack, unpack};
use crate::form::Form;
use crate::sparse;
use crate::vector::{Vector, VectorBuf, norm, normalize};

/// Length below which a vector may vanish where it is rotated.
const LEAST_NORM: f32 = 1e-30;

/// What is stored with a vector, beside its bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StoredInfo {
    /// What stored numbers are multiplied by.
    pub scale: f32,
    /// Upper bound of what the form lost, in the norm that suits the metric.
    pub error: f32,
    /// Euclidean norm of the vector; of what is rounded, where that is relative to a center.
    pub norm: f32,
}

/// A vector in the form that pages hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// The vector itself.
    pub bytes: Vec<u8>,
    /// What is stored with it.
    pub info: StoredInfo,
}

/// How an index holds vectors.
#[derive(Debug)]
pub struct Holder {
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
    pub fn new(form: Form, metric: Metric, dims: usize, seed: u64) -> Self {
        let rotation = form.is_rotated().then(|| Rotation::new(dims, seed));
        let center = if form.is_rotated() { vec![0.0; dims] } else { Vec::new() };
        Self { form, metric, dims, rotation, center }
    }

    /// The same, whatever the metric: vectors are neither scaled to length one before they are
    /// rounded, nor stored relative to a center, as inner products need them.
    pub fn unscaled(form: Form, dims: usize, seed: u64) -> Self {
        Self::new(form, Metric::InnerProduct, dims, seed)
    }

    /// Whether vectors can be stored relative to a center.
    pub fn takes_center(&self) -> bool {
        self.rotation.is_some() && self.metric != Metric::InnerProduct
    }

    /// Holds vectors relative to `center`, rotated, if they can be; what it lacks is zero.
    pub fn set_center(&mut self, center: &[f32]) {
        if self.takes_center() {
            self.center.iter_mut().zip(center).for_each(|(own, &x)| *own = x);
        }
    }

    /// What vectors are stored relative to, if not to zero.
    pub fn center(&self) -> Option<&[f32]> {
        self.center.iter().any(|&x| x != 0.0).then_some(&self.center)
    }

    /// The part of what rounding lost that may lie along a query.
    pub fn random_part(&self) -> f64 {
        if self.form == Form::Rabitq { random_part(self.dims) } else { 1.0 }
    }

    /// How vectors are compared.
    pub fn metric(&self) -> Metric {
        self.metric
    }

    /// What pages hold.
    pub fn form(&self) -> Form {
        self.form
    }

    /// A place for a vector.
    pub fn empty(&self) -> Stored {
        let sparse = self.form == Form::Sparse;
        let bytes = if sparse { Vec::new() } else { vec![0; self.form.bytes(self.dims)] };
        Stored { bytes, info: StoredInfo { scale: 1.0, error: 0.0, norm: 0.0 } }
    }

    /// A vector without length.
    pub fn zero(&self) -> VectorBuf {
        if self.form == Form::Sparse {
            VectorBuf::Sparse { indices: Vec::new(), values: Vec::new() }
        } else {
            VectorBuf::Dense(vec![0.0; self.dims])
        }
    }

    /// Holds `vector` in `stored`, a place for it.
    pub fn store(&self, vector: Vector<'_>, stored: &mut Stored) {
        if self.form == Form::Sparse {
            sparse::pack(vector.elements(), &mut stored.bytes);
            stored.info = lossless(vector.values());
        } else {
            stored.info = self.write(vector.values(), &mut stored.bytes);
        }
    }

    /// Writes a dense vector; `bytes` are as many as [`Form::bytes`] says.
    pub fn write(&self, vector: &[f32], bytes: &mut [u8]) -> StoredInfo {
        match self.form {
            Form::Sparse => {}
            Form::Floats => {
                let (floats, _) = bytes.as_chunks_mut();
                floats.iter_mut().zip(vector).for_each(|(out, x)| *out = x.to_le_bytes());
            }
            Form::Halves => {
                let info = encode_half(vector, bytes.as_chunks_mut().0);
                let l1 = self.metric == Metric::L1;
                let error = if l1 { info.error_l1 } else { info.error_l2 };
                return StoredInfo { scale: info.scale(), error, norm: norm(vector) };
            }
            Form::Bits => pack(vector, bytes),
            Form::Bytes => {
                let places = bytes.iter_mut().zip(vector);
                places.for_each(|(byte, &x)| *byte = (x as i8).to_ne_bytes()[0]);
            }
            Form::Sq8 => {
                let (levels, info) = self.round(vector, i8::MAX);
                let places = bytes.iter_mut().zip(levels);
                places.for_each(|(byte, level)| *byte = level.to_ne_bytes()[0]);
                return info;
            }
            Form::Rabitq => {
                let (levels, info) = self.round(vector, 7);
                pack_nibbles(&levels, bytes);
                return info;
            }
        }
        lossless(vector)
    }

    /// Rounds the vector as [`turned`](Self::turned) to levels of `-top..=top`. Nothing is known, and
    /// the error infinite, where rotating it there and back overflows or loses all, for which zeros are
    /// stored, and where the operator's cosine may be anything.
    fn round(&self, vector: &[f32], top: i8) -> (Vec<i8>, StoredInfo) {
        let (whole, cosine) = (norm(vector), self.metric == Metric::Cosine);
        let mut levels = vec![0; self.dims];
        let unknown = StoredInfo { scale: 0.0, error: f32::INFINITY, norm: whole };
        if !cosine && whole > f32::MAX / (4 * self.dims.max(1)) as f32 {
            return (levels, unknown);
        }
        let turned = self.turned(vector.into());
        let CoarseInfo { scale, error } = encode_coarse(turned.values(), top, &mut levels);
        if !cosine && scale == 0.0 && whole > 0.0 && whole < LEAST_NORM {
            return (levels, unknown);
        }
        let norm = if self.takes_center() { norm(turned.values()) } else { whole };
        let known = !cosine || cosine_is_safe(whole.into(), 1.0);
        let error = if known { error } else { f32::INFINITY };
        (levels, StoredInfo { scale, error, norm })
    }

    /// The vector as it is rounded: where vectors are rotated, that relative to the center, under
    /// cosine of length one before.
    pub fn turned(&self, vector: Vector<'_>) -> VectorBuf {
        let mut turned = vector.to_buf();
        let Some(rotation) = &self.rotation else { return turned };
        if self.metric == Metric::Cosine {
            let mut unit = vector.values().to_vec();
            normalize(&mut unit);
            rotation.apply(&unit, turned.values_mut());
        } else {
            rotation.apply(vector.values(), turned.values_mut());
        }
        turned.values_mut().iter_mut().zip(&self.center).for_each(|(x, center)| *x -= center);
        turned
    }

    /// Whether rows that were stored as `a`, with its bytes, and `b` are the same to an index.
    pub fn alike(&self, (bytes, a): (&[u8], StoredInfo), b: &Stored) -> bool {
        // Estimates of distances rest on the norm.
        let alike = !self.form.is_rotated() || a.norm == b.info.norm;
        alike && a.scale == b.info.scale && bytes == b.bytes
    }

    /// A vector as numbers, `scale` times those that are stored.
    pub fn widened(&self, bytes: &[u8], scale: f32) -> VectorBuf {
        if self.form == Form::Sparse {
            return sparse::unpack(bytes, scale);
        }
        let mut vector = vec![0.0; self.dims];
        self.widen(bytes, scale, &mut vector);
        VectorBuf::Dense(vector)
    }

    /// Writes a dense vector as numbers.
    pub fn widen(&self, bytes: &[u8], scale: f32, out: &mut [f32]) {
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
    pub fn true_scale(&self, StoredInfo { scale, error, norm }: StoredInfo) -> f32 {
        if !self.form.is_rotated() || error == f32::INFINITY {
            return scale;
        }
        let kept = norm / norm.hypot(error);
        // Not a number where the vector is the center.
        if kept.is_nan() { 0.0 } else { scale * kept }
    }
}

/// What is stored with a vector that loses nothing.
fn lossless(vector: &[f32]) -> StoredInfo {
    StoredInfo { scale: 1.0, error: 0.0, norm: norm(vector) }
}
