//! Comparing a query with vectors as records hold them.

use quant::{Metric, Rounded, RoundedDistance, cosine_is_safe, rounding};
use vectors::bits::{bit_distance, pack};
use vectors::measure::{Lost, Measured, OfBytes, OfFloats, OfHalves, OfSparse, Sums};
use vectors::{Form, Holder, StoredInfo, Vector, VectorBuf, norm, sparse};
use zerocopy::FromBytes;

use crate::format::Record;

/// How far an element is from the query.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Exact {
    /// A number that the SQL operator's distance to any row of the element is not below.
    pub(crate) distance: f64,
    /// Whether `distance` is the operator's.
    pub(crate) certain: bool,
    /// What searches sort by (see [`Metric`]).
    pub(crate) reduced: f32,
    /// The part of the query along the element, for estimates (see [`quant::EdgeQuery::estimate`]).
    pub(crate) alpha: f32,
}

/// A query in the form in which it is compared.
#[derive(Debug)]
pub(crate) struct ExactQuery {
    metric: Metric,
    form: Form,
    /// As [`Holder::turned`] gives it.
    vector: VectorBuf,
    /// Of the query as it was given.
    norm: f32,
    turned_norm: f32,
    /// See [`Holder::random_part`].
    part: f64,
    /// Where vectors are bits.
    bits: Vec<u8>,
    /// Where vectors are bytes.
    bytes: Vec<i8>,
}

impl ExactQuery {
    /// Prepares `vector`, which has the index's dimensions and form.
    pub(crate) fn new(holder: &Holder, vector: Vector<'_>) -> Self {
        let numbers = vector.values();
        let (form, metric, mut bits) = (holder.form(), holder.metric(), Vec::new());
        if form == Form::Bits {
            bits.resize(form.bytes(numbers.len()), 0);
            pack(numbers, &mut bits);
        }
        let integers = numbers.iter().map(|x| x.round_ties_even() as i8);
        let bytes = integers.filter(|_| form == Form::Bytes).collect();
        let vector = holder.turned(vector);
        let (norm, turned_norm) = (norm(numbers), norm(vector.values()));
        let part = holder.random_part();
        Self { metric, form, vector, norm, turned_norm, part, bits, bytes }
    }

    /// The query as bits, where vectors are such.
    pub(crate) fn bits(&self) -> &[u8] {
        &self.bits
    }

    /// Compares with the element's own vector.
    pub(crate) fn measure(&self, record: &Record<'_>) -> Exact {
        let (info, bytes, q) = (record.element().info, record.vector(), self.vector.values());
        match self.form {
            Form::Floats => self.of_numbers(&OfFloats { q, b: bytes.as_chunks().0 }, info),
            Form::Halves => {
                let (b, scale) = (bytes.as_chunks().0, info.scale);
                self.of_numbers(&OfHalves { q, b, scale }, info)
            }
            Form::Bytes => {
                let b = <[i8]>::ref_from_bytes(bytes).unwrap_or_default();
                self.of_numbers(&OfBytes { q: &self.bytes, b }, info)
            }
            Form::Sq8 => {
                let levels = <[i8]>::ref_from_bytes(bytes).unwrap_or_default();
                self.of_rounded(kernels::inner_product_bytes(q, levels), info)
            }
            Form::Rabitq => self.of_rounded(kernels::inner_product_nibbles(q, bytes), info),
            Form::Sparse => {
                let b = sparse::unpack(bytes, info.scale);
                let (q, b) = (self.vector.view().elements(), b.view().elements());
                self.of_numbers(&OfSparse { q, b }, info)
            }
            Form::Bits => {
                let distance = bit_distance(self.metric, &self.bits, bytes);
                Exact { distance, certain: true, reduced: distance as f32, alpha: 1.0 }
            }
        }
    }

    fn of_rounded(&self, product: f32, info: StoredInfo) -> Exact {
        let dims = self.vector.values().len();
        let known = info.error.is_finite();
        // Where nothing is known, norms are those of whole vectors, as they are without a center.
        let whole =
            self.metric == Metric::InnerProduct || (self.metric != Metric::Cosine && !known);
        let rounded = Rounded {
            q: if whole { self.norm } else { self.turned_norm }.into(),
            x: info.norm.into(),
            product: f64::from(product) * f64::from(info.scale),
            error: info.error.into(),
            part: self.part,
            dims,
        };
        let (q, rounding) = (f64::from(self.norm), rounding(dims));
        // Vectors of length one under cosine.
        let (metric, length) = match self.metric {
            Metric::InnerProduct => (Metric::InnerProduct, q),
            Metric::Cosine => (Metric::L2, 1.0),
            Metric::L2 | Metric::L1 | Metric::Hamming | Metric::Jaccard => (Metric::L2, q),
        };
        let RoundedDistance { distance, reduced, alpha } = rounded.distance(metric);
        // Rotating a vector errs as much as summing it; the other is no longer than both of these.
        let apart = (distance - rounding * (2.0 * length + distance)).max(0.0);
        let distance = match self.metric {
            Metric::InnerProduct => distance,
            // A zero query. Last in any order.
            Metric::Cosine if q == 0.0 => f64::INFINITY,
            Metric::Cosine if known && cosine_is_safe(q, 1.0) => {
                apart * apart / 2.0 - 2.0 * rounding
            }
            Metric::Cosine => f64::NEG_INFINITY,
            Metric::L2 | Metric::L1 | Metric::Hamming | Metric::Jaccard => apart,
        };
        Exact { distance, certain: false, reduced, alpha }
    }

    fn of_numbers(&self, sums: &impl Sums, info: StoredInfo) -> Exact {
        let measured = Measured::of(self.metric, sums);
        let along = -measured.reduced / (info.norm * info.norm);
        let along = if along.is_finite() { along } else { 0.0 };
        let alpha = if self.metric == Metric::InnerProduct { along } else { 1.0 };
        let lost = Lost { query: self.norm, norm: info.norm, error: info.error };
        let dims = self.vector.values().len();
        let (Measured { distance, reduced }, certain) = measured.bounded(self.metric, lost, dims);
        Exact { distance, certain, reduced, alpha }
    }
}
