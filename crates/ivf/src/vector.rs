//! Vectors as pages hold them: halves under a common power of two, levels of eight bits of the rotated
//! vector, both with a bound of the error made, or bits.
//!
//! Halves: exponent (i8), zero (3 bytes), error (f32), norm (f32), numbers. Levels: scale (f32), error,
//! norm, numbers. Bits: no header.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))] // sizes come from pages

use std::ops::Range;

use pages::{Batch, Error, PageKind, Result, init_page, is_new, page_kind};
use quant::{Metric, half_scale};
use vectors::{Form, StoredInfo};
use zerocopy::FromBytes;

use crate::geometry::{Geometry, VectorNo};

/// A vector in the bytes that pages hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stored<'a> {
    bytes: &'a [u8],
    geometry: &'a Geometry,
}

impl<'a> Stored<'a> {
    /// `bytes` is as long as [`Geometry::vector_size`] tells.
    pub(crate) fn new(bytes: &'a [u8], geometry: &'a Geometry) -> Self {
        Self { bytes, geometry }
    }

    /// All of it, as in pages: the same of equal vectors.
    pub(crate) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    pub(crate) fn form(&self) -> Form {
        self.geometry.form
    }

    /// The numbers, where they are halves.
    pub(crate) fn halves(&self) -> &'a [[u8; 2]] {
        self.numbers().as_chunks().0
    }

    /// The numbers, where they are levels of eight bits.
    pub(crate) fn levels(&self) -> &'a [i8] {
        <[i8]>::ref_from_bytes(self.numbers()).unwrap_or_default()
    }

    /// The bits, where they are bits.
    pub(crate) fn numbers(&self) -> &'a [u8] {
        &self.bytes[self.geometry.vector_header()..]
    }

    /// What a half or a level is multiplied by.
    pub(crate) fn scale(&self) -> f32 {
        if self.form() == Form::Sq8 {
            return self.f32(0);
        }
        // Any byte is an exponent; the format writes -126 to 113. Bits have no header.
        half_scale((self.bytes[0] as i8).clamp(-126, 113))
    }

    /// Upper bound of the Euclidean length of what narrowing lost.
    pub(crate) fn error(&self) -> f32 {
        self.f32(4)
    }

    /// Upper bound of what narrowing moved the vector by, as lists are made of it.
    pub(crate) fn placed_error(&self, metric: Metric) -> f32 {
        match metric {
            Metric::Hamming | Metric::L1 | Metric::Jaccard => 0.0,
            Metric::L2 | Metric::InnerProduct => self.error(),
            Metric::Cosine => 2.0 * self.error() / self.norm(),
        }
    }

    /// Euclidean norm before narrowing.
    pub(crate) fn norm(&self) -> f32 {
        self.f32(8)
    }

    fn f32(&self, at: usize) -> f32 {
        f32::from_le_bytes(self.bytes[at..][..4].try_into().expect("four bytes"))
    }

    /// Whether the header is one that [`Holder::write`] makes.
    pub(crate) fn is_sound(&self) -> bool {
        let finite = |x: f32| x.is_finite() && x >= 0.0;
        let number = |x: f32| x >= 0.0;
        if self.form() == Form::Bits {
            return true;
        }
        let (scale, error) = if self.form() == Form::Sq8 {
            (finite(self.scale()), number(self.error()))
        } else {
            ((-126..=113).contains(&(self.bytes[0] as i8)), finite(self.error()))
        };
        scale && error && number(self.norm())
    }
}

/// Brings vectors to the form in which pages hold them, and back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Holder<'a> {
    pub(crate) geometry: &'a Geometry,
    /// Of the same form.
    pub(crate) holder: &'a vectors::Holder,
}

impl Holder<'_> {
    /// Writes `vector` as [`Stored`] reads it.
    pub(crate) fn write(&self, vector: &[f32], bytes: &mut [u8]) {
        let (header, numbers) = bytes.split_at_mut(self.geometry.vector_header());
        let StoredInfo { scale, error, norm } = self.holder.write(vector, numbers);
        let scale = match self.geometry.form {
            Form::Bits => return,
            Form::Sq8 => scale.to_le_bytes(),
            Form::Halves | Form::Floats | Form::Rabitq | Form::Sparse | Form::Bytes => {
                [exponent(scale) as u8, 0, 0, 0]
            }
        };
        header[..4].copy_from_slice(&scale);
        header[4..8].copy_from_slice(&error.to_le_bytes());
        header[8..12].copy_from_slice(&norm.to_le_bytes());
    }

    /// Writes a vector that pages hold as numbers.
    pub(crate) fn widen(&self, stored: &Stored<'_>, out: &mut [f32]) {
        self.holder.widen(stored.numbers(), stored.scale(), out);
    }
}

/// The exponent of a power of two that is a normal number, as [`half_scale`] takes it.
fn exponent(scale: f32) -> i8 {
    // Below 256, and -126 at least.
    ((scale.to_bits() >> 23) as i32).saturating_sub(127) as i8
}

/// The body of a page that holds vectors.
pub(crate) fn vectors(body: &[u8], page: u32) -> Result<&[u8]> {
    if is_new(body) || page_kind(body, page)? != PageKind::Vectors {
        return Err(Error::corrupted(page, "page does not hold vectors"));
    }
    Ok(body)
}

/// The pages that vector `no` lies in, and which part of it goes where.
pub(crate) fn pieces(no: VectorNo, geometry: &Geometry) -> Vec<(u32, Range<usize>, Range<usize>)> {
    let [(page, range), (next, rest)] = no.parts(geometry);
    let (first, size) = (range.len(), geometry.vector_size());
    let mut pieces = vec![(page, range, 0..first)];
    if !rest.is_empty() {
        pieces.push((next, rest, first..size));
    }
    pieces
}

/// The body of a page of vectors that is being changed.
pub(crate) fn open_vectors<B: Batch>(batch: &mut B, page: u32) -> Result<&mut [u8]> {
    let body = batch.page(page)?;
    vectors(body, page)?;
    Ok(body)
}

/// Begins a page of vectors.
pub(crate) fn init_vectors(body: &mut [u8], page: u32) {
    init_page(body, PageKind::Vectors, page);
}
