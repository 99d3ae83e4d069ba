//! A sparse vector as PostgreSQL stores it: a view of a datum, and one under construction.

use std::iter;

use kernels::sparse::Sparse;
use pgrx::pg_sys::Datum;

use super::{TYPE, check};
use crate::pg::error::Report;
use crate::pg::function::{Args, Argument, Return};
use crate::pg::varlena::{Detoasted, VARHDRSZ, VarlenaBuf};
use crate::types::error;

/// Bytes before the indices: length word, dimensions, number of elements, unused.
const HEADER: usize = VARHDRSZ + 12;

/// A sparse vector that came as a datum. Holds the datum itself, or a copy of a toasted one, freed
/// on drop.
///
/// That indices ascend and lie within the dimensions was checked when the value was made; whoever
/// uses an index to address memory checks it again.
pub struct SparseRef<'a> {
    value: Detoasted<'a>,
    dims: usize,
    nnz: usize,
}

impl<'a> SparseRef<'a> {
    /// Views a datum.
    ///
    /// # Safety
    /// `datum` is a non-null value of type `sparsevec` that lives during `'a`.
    #[allow(unsafe_code)] // datums are raw pointers
    pub unsafe fn from_datum(datum: Datum) -> Result<SparseRef<'a>, Report> {
        // SAFETY: `datum` is of type `sparsevec`, which is of variable length, and lives during `'a`.
        SparseRef::new(unsafe { Detoasted::from_datum(datum) })
    }

    #[inline]
    fn new(value: Detoasted<'a>) -> Result<SparseRef<'a>, Report> {
        let Some(&[dims, nnz]) = value.slice::<u32>(VARHDRSZ, 2) else {
            return Err(error::corrupted(TYPE));
        };
        let (dims, nnz) = (dims as usize, nnz as usize);
        // As many words as there are indices and values.
        if value.slice::<u32>(HEADER, nnz.saturating_mul(2)).is_none() {
            return Err(error::corrupted(TYPE));
        }
        Ok(SparseRef { value, dims, nnz })
    }

    /// Number of dimensions.
    #[inline]
    pub fn dims(&self) -> usize {
        self.dims
    }

    /// Dimensions that are not zero, from 0, ascending.
    #[inline]
    pub fn indices(&self) -> &[u32] {
        self.value.slice(HEADER, self.nnz).unwrap_or_default()
    }

    /// The values at [`indices`](Self::indices).
    #[inline]
    pub fn values(&self) -> &[f32] {
        self.value.slice(HEADER + self.nnz * 4, self.nnz).unwrap_or_default()
    }

    /// For the kernels.
    #[inline]
    pub fn view(&self) -> Sparse<'_> {
        Sparse { indices: self.indices(), values: self.values() }
    }

    /// Indices with their values.
    pub fn elements(&self) -> impl Iterator<Item = (u32, f32)> {
        self.indices().iter().copied().zip(self.values().iter().copied())
    }
}

/// Each index at which one of two vectors has an element, and the values of both.
pub fn union(a: &SparseRef, b: &SparseRef) -> impl Iterator<Item = (u32, f32, f32)> {
    let (mut a, mut b) = (a.elements().peekable(), b.elements().peekable());
    iter::from_fn(move || {
        let index = match (a.peek(), b.peek()) {
            (Some(&(i, _)), Some(&(j, _))) => i.min(j),
            (Some(&(index, _)), None) | (None, Some(&(index, _))) => index,
            (None, None) => return None,
        };
        let x = a.next_if(|&(i, _)| i == index).map_or(0.0, |(_, x)| x);
        let y = b.next_if(|&(j, _)| j == index).map_or(0.0, |(_, y)| y);
        Some((index, x, y))
    })
}

impl<'a> Argument<'a> for SparseRef<'a> {
    #[inline]
    fn take(args: &mut Args<'a>) -> Result<SparseRef<'a>, Report> {
        SparseRef::new(Detoasted::take(args)?)
    }
}

impl Return for SparseRef<'_> {
    fn into_datum(self, args: &Args) -> Result<Datum, Report> {
        self.value.into_datum(args)
    }
}

/// A sparse vector under construction in the current memory context.
pub struct SparseBuf {
    value: VarlenaBuf,
    nnz: usize,
}

impl SparseBuf {
    /// A vector of `nnz` elements that are still to be set; checks both numbers.
    pub fn zeroed(dims: usize, nnz: usize) -> Result<SparseBuf, Report> {
        check::dims(dims as i64)?;
        check::nnz(nnz)?;
        let mut value = VarlenaBuf::zeroed(HEADER + nnz * (size_of::<u32>() + size_of::<f32>()))?;
        value.slice_mut(VARHDRSZ, 2).copy_from_slice(&[dims as u32, nnz as u32]); // within limits
        Ok(SparseBuf { value, nnz })
    }

    /// A vector of these elements less those that are zero; checks their number and their
    /// indices, which must ascend.
    pub fn from_elements(dims: usize, elements: &[(i64, f32)]) -> Result<SparseBuf, Report> {
        let non_zero = elements.iter().filter(|&&(_, x)| x != 0.0);
        let mut vector = SparseBuf::zeroed(dims, non_zero.clone().count())?;
        let mut before = None;
        for (out, &(index, _)) in vector.indices_mut().iter_mut().zip(non_zero.clone()) {
            *out = check::index(index, before, dims)?;
            before = Some(*out);
        }
        for (out, &(_, x)) in vector.values_mut().iter_mut().zip(non_zero) {
            *out = x;
        }
        Ok(vector)
    }

    /// The indices; they must ascend.
    pub fn indices_mut(&mut self) -> &mut [u32] {
        self.value.slice_mut(HEADER, self.nnz)
    }

    /// The values; none may be zero.
    pub fn values_mut(&mut self) -> &mut [f32] {
        self.value.slice_mut(HEADER + self.nnz * 4, self.nnz)
    }
}

impl Return for SparseBuf {
    fn into_datum(self, args: &Args) -> Result<Datum, Report> {
        self.value.into_datum(args)
    }
}
