//! A vector as PostgreSQL stores it: a view of a datum, and one under construction.

#![allow(unsafe_code)] // the elements of a view are read without checking their bounds again

use std::ops::Deref;
use std::slice;

use pgrx::pg_sys::Datum;

use super::VectorError;
use super::error::check_dims;
use crate::pg::error::Report;
use crate::pg::function::{Args, Argument, Return};
use crate::pg::varlena::{Detoasted, VARHDRSZ, VarlenaBuf};

/// Bytes before the elements: length word, dimensions, unused.
const HEADER: usize = VARHDRSZ + 4;

/// A vector that came as a datum; reads as its elements. Holds the datum itself, or a copy of a
/// toasted one, freed on drop.
pub struct VectorRef<'a> {
    value: Detoasted<'a>,
    dims: usize,
}

impl<'a> VectorRef<'a> {
    /// Views a datum; refuses one whose length does not fit its dimensions.
    ///
    /// # Safety
    /// `datum` is a non-null value of type `vector` that lives during `'a`.
    #[inline(always)]
    pub unsafe fn from_datum(datum: Datum) -> Result<VectorRef<'a>, VectorError> {
        // SAFETY: the caller's promise.
        VectorRef::new(unsafe { Detoasted::from_datum(datum) })
    }

    #[inline(always)]
    fn new(value: Detoasted<'a>) -> Result<VectorRef<'a>, VectorError> {
        let dims = match value.slice::<u16>(VARHDRSZ, 1) {
            Some(&[dims]) => usize::from(dims),
            Some(_) | None => return Err(VectorError::Corrupted),
        };
        if value.slice::<f32>(HEADER, dims).is_none() {
            return Err(VectorError::Corrupted);
        }
        Ok(VectorRef { value, dims })
    }
}

impl Deref for VectorRef<'_> {
    type Target = [f32];

    #[inline]
    fn deref(&self) -> &[f32] {
        // SAFETY: `new` has checked that the value holds `dims` elements, and their alignment.
        unsafe {
            let elements = self.value.as_ptr().cast::<u8>().add(HEADER).cast::<f32>();
            slice::from_raw_parts(elements, self.dims)
        }
    }
}

impl<'a> Argument<'a> for VectorRef<'a> {
    #[inline(always)]
    fn take(args: &mut Args<'a>) -> Result<VectorRef<'a>, Report> {
        Ok(VectorRef::new(Detoasted::take(args)?)?)
    }
}

impl Return for VectorRef<'_> {
    fn into_datum(self, args: &Args) -> Result<Datum, Report> {
        self.value.into_datum(args)
    }
}

/// A vector under construction in the current memory context.
pub struct VectorBuf {
    value: VarlenaBuf,
    dims: usize,
}

impl VectorBuf {
    /// A vector of zeros; checks the number of dimensions.
    pub fn zeroed(dims: usize) -> Result<VectorBuf, Report> {
        check_dims(dims)?;
        let mut value = VarlenaBuf::zeroed(HEADER + dims * size_of::<f32>())?;
        value.slice_mut::<u16>(VARHDRSZ, 1)[0] = dims as u16; // at most MAX_DIMS
        Ok(VectorBuf { value, dims })
    }

    /// A vector of these elements; checks their number.
    pub fn from_slice(elements: &[f32]) -> Result<VectorBuf, Report> {
        let mut vector = VectorBuf::zeroed(elements.len())?;
        vector.as_mut().copy_from_slice(elements);
        Ok(vector)
    }

    /// The elements.
    pub fn as_mut(&mut self) -> &mut [f32] {
        self.value.slice_mut(HEADER, self.dims)
    }
}

impl Return for VectorBuf {
    #[inline]
    fn into_datum(self, args: &Args) -> Result<Datum, Report> {
        self.value.into_datum(args)
    }
}
