//! The types of vectors of numbers, dense and sparse, in one list, and what their distances are
//! computed from. A type in the list has all that is exported for each of them: distances here,
//! spheres, scores, and intervals of scores in modules of their own.

#![allow(unsafe_code)] // views datums

use std::cmp::Ordering;
use std::ffi::CStr;

use kernels::{CosineTerms, sparse};
use pgrx::pg_sys::Datum;

use super::dense::{self, DenseRef, Element};
use super::error;
use super::sparsevec::{self, SparseRef};
use crate::pg::error::Report;
use crate::pg::function::Argument;

/// The names of the types. The position of each is part of the format of stored requests.
pub const NAMES: [&CStr; 5] = [c"vector", c"halfvec", c"bf16vec", c"i8vec", c"sparsevec"];

/// Calls a macro for each type, with its name and the view of its values.
macro_rules! for_each_number_type {
    ($each:ident) => {
        $each!("vector", $crate::types::dense::DenseRef<f32>);
        $each!("halfvec", $crate::types::dense::DenseRef<half::f16>);
        $each!("bf16vec", $crate::types::dense::DenseRef<half::bf16>);
        $each!("i8vec", $crate::types::dense::DenseRef<i8>);
        $each!("sparsevec", $crate::types::sparsevec::SparseRef);
    };
}

pub(crate) use for_each_number_type;

/// A vector of numbers. What takes two vectors takes them with the same number of dimensions.
pub trait Numbers<'a>: Argument<'a> {
    /// The SQL name of the type.
    const TYPE: &'static str;

    /// Views a datum.
    ///
    /// # Safety
    /// `datum` is a non-null value of the type that lives during `'a`.
    unsafe fn view(datum: Datum) -> Result<Self, Report>;

    /// Number of dimensions.
    fn n_dims(&self) -> usize;

    /// Order by the first dimension that differs, then by their number.
    fn compare(&self, other: &Self) -> Ordering;

    /// The square of the Euclidean distance.
    fn l2_squared(&self, other: &Self) -> f64;

    /// The inner product.
    fn inner_product(&self, other: &Self) -> f64;

    /// Inner product and squared norms.
    fn cosine_terms(&self, other: &Self) -> CosineTerms<f64>;

    /// The taxicab distance.
    fn l1(&self, other: &Self) -> f64;

    /// Checks that two vectors have the same number of dimensions.
    #[inline(always)]
    fn check_same_dims(&self, other: &Self) -> Result<(), Report> {
        let (a, b) = (self.n_dims(), other.n_dims());
        if a == b { Ok(()) } else { Err(error::different_dims(Self::TYPE, a, b)) }
    }
}

impl<'a, E: Element> Numbers<'a> for DenseRef<'a, E> {
    const TYPE: &'static str = E::TYPE;

    #[inline(always)]
    unsafe fn view(datum: Datum) -> Result<Self, Report> {
        // SAFETY: `datum` is of this type, and lives as long as the view.
        unsafe { DenseRef::from_datum(datum) }
    }

    #[inline(always)]
    fn n_dims(&self) -> usize {
        self.len()
    }

    fn compare(&self, other: &Self) -> Ordering {
        dense::compare::compare::<E>(self, other)
    }

    #[inline(always)]
    fn l2_squared(&self, other: &Self) -> f64 {
        kernels::l2_squared::<E>(self, other).into()
    }

    #[inline(always)]
    fn inner_product(&self, other: &Self) -> f64 {
        kernels::inner_product::<E>(self, other).into()
    }

    #[inline(always)]
    fn cosine_terms(&self, other: &Self) -> CosineTerms<f64> {
        widened(kernels::cosine_terms::<E>(self, other))
    }

    #[inline(always)]
    fn l1(&self, other: &Self) -> f64 {
        kernels::l1::<E>(self, other).into()
    }
}

impl<'a> Numbers<'a> for SparseRef<'a> {
    const TYPE: &'static str = sparsevec::TYPE;

    unsafe fn view(datum: Datum) -> Result<Self, Report> {
        // SAFETY: `datum` is of this type, and lives as long as the view.
        unsafe { SparseRef::from_datum(datum) }
    }

    fn n_dims(&self) -> usize {
        self.dims()
    }

    fn compare(&self, other: &Self) -> Ordering {
        sparsevec::compare::compare(self, other)
    }

    fn l2_squared(&self, other: &Self) -> f64 {
        sparse::l2_squared(self.view(), other.view()).into()
    }

    fn inner_product(&self, other: &Self) -> f64 {
        sparse::inner_product(self.view(), other.view()).into()
    }

    fn cosine_terms(&self, other: &Self) -> CosineTerms<f64> {
        widened(sparse::cosine_terms(self.view(), other.view()))
    }

    fn l1(&self, other: &Self) -> f64 {
        sparse::l1(self.view(), other.view()).into()
    }
}

#[inline(always)]
fn widened<Sum: Into<f64>>(terms: CosineTerms<Sum>) -> CosineTerms<f64> {
    let CosineTerms { dot, norm_a, norm_b } = terms;
    CosineTerms { dot: dot.into(), norm_a: norm_a.into(), norm_b: norm_b.into() }
}
