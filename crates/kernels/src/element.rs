//! The types of elements that vectors are made of, and distances generic over them.

use std::fmt::Debug;

use half::{bf16, f16};

use crate::dispatch::{Kernels, active};
use crate::distance::CosineTerms;

/// An element of a vector.
pub trait Element: Tabled + Debug + PartialOrd + 'static {
    /// What terms are summed in: `f32` for floats. For `i8` it is `i32`, which is exact for
    /// vectors of at most 33,000 elements; it wraps for longer ones.
    type Sum: Copy + Debug + Default + PartialOrd + Into<f64>;
}

impl Element for f32 {
    type Sum = f32;
}

impl Element for f16 {
    type Sum = f32;
}

impl Element for bf16 {
    type Sum = f32;
}

impl Element for i8 {
    type Sum = i32;
}

/// The distances between vectors of one type of elements, for one level.
#[derive(Debug)]
pub struct Distances<E: Element> {
    pub(crate) l2_squared: unsafe fn(&[E], &[E]) -> E::Sum,
    pub(crate) inner_product: unsafe fn(&[E], &[E]) -> E::Sum,
    pub(crate) cosine_terms: unsafe fn(&[E], &[E]) -> CosineTerms<E::Sum>,
    pub(crate) l1: unsafe fn(&[E], &[E]) -> E::Sum,
}

/// The distances of each type of elements, for one level.
#[derive(Debug)]
pub(crate) struct AllDistances {
    pub f32: Distances<f32>,
    pub f16: Distances<f16>,
    pub bf16: Distances<bf16>,
    pub i8: Distances<i8>,
}

/// A type that the tables of kernels have distances for. Not nameable elsewhere.
pub trait Tabled: Copy {
    /// Its distances in the table of a level.
    fn distances(kernels: &Kernels) -> &Distances<Self>
    where
        Self: Element;
}

macro_rules! tabled {
    ($($element:ident)*) => {
        $(impl Tabled for $element {
            #[inline(always)]
            fn distances(kernels: &Kernels) -> &Distances<Self> {
                &kernels.distances.$element
            }
        })*
    };
}

tabled! { f32 f16 bf16 i8 }

/// Defines for each distance a method of a level's kernels, and a function for the level in use.
macro_rules! distances {
    ($($(#[$doc:meta])* $name:ident -> $result:ty;)*) => {
        impl Kernels {
            $($(#[$doc])*
            #[inline]
            pub fn $name<E: Element>(&self, a: &[E], b: &[E]) -> $result {
                // SAFETY: a table is handed out only where the CPU has its level.
                unsafe { (E::distances(self).$name)(a, b) }
            })*
        }

        $($(#[$doc])*
        #[inline]
        pub fn $name<E: Element>(a: &[E], b: &[E]) -> $result {
            active().$name(a, b)
        })*
    };
}

distances! {
    /// The squared Euclidean distance.
    l2_squared -> E::Sum;

    /// The inner product.
    inner_product -> E::Sum;

    /// The inner product and both squared norms, in one pass.
    cosine_terms -> CosineTerms<E::Sum>;

    /// The taxicab distance.
    l1 -> E::Sum;
}
