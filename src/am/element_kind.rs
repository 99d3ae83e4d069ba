//! What the elements of an indexed column are.

#![allow(unsafe_code)] // reads datums

use half::{bf16, f16};
use pgrx::pg_sys::Datum;

use super::vector::Vector;
use crate::pg::error::Report;
use crate::types::bit::{self, BitsRef};
use crate::types::dense::{self, DenseRef, Element};
use crate::types::error;
use crate::types::sparsevec::{self, SparseRef, check};

/// A type that an index can be on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ElementKind {
    /// `vector`.
    F32 = 0,
    /// `halfvec`.
    F16 = 1,
    /// `bf16vec`.
    Bf16 = 2,
    /// `i8vec`.
    I8 = 3,
    /// `bit`.
    Bit = 4,
    /// `sparsevec`.
    Sparse = 5,
}

impl ElementKind {
    const ALL: [Self; 6] = [Self::F32, Self::F16, Self::Bf16, Self::I8, Self::Bit, Self::Sparse];

    /// The kind whose discriminant `byte` is, if there is one.
    pub fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|&kind| kind as u8 == byte)
    }

    /// The kind of the type `name`, if there is one.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.type_name() == name)
    }

    fn type_name(self) -> &'static str {
        match self {
            Self::F32 => f32::TYPE,
            Self::F16 => f16::TYPE,
            Self::Bf16 => bf16::TYPE,
            Self::I8 => i8::TYPE,
            Self::Bit => "bit",
            Self::Sparse => sparsevec::TYPE,
        }
    }

    /// Most dimensions that an index can have.
    pub fn max_dims(self) -> usize {
        match self {
            Self::F32 | Self::F16 | Self::Bf16 | Self::I8 => dense::MAX_DIMS,
            Self::Bit => 64_000,
            Self::Sparse => sparsevec::MAX_DIMS,
        }
    }

    /// A query has not as many dimensions as the column.
    pub fn different_dims(self, column: usize, query: usize) -> Report {
        if self == Self::Bit {
            return bit::different_lengths(column, query);
        }
        error::different_dims(self.type_name(), column, query)
    }

    /// Shows a vector and its number of dimensions. Its numbers are of single precision, which all
    /// elements are exactly; bits are 0 and 1.
    ///
    /// # Safety
    /// `vector` is a non-null value of this type.
    pub unsafe fn look<R>(
        self,
        vector: Datum,
        look: impl FnOnce(usize, Vector<'_>) -> R,
    ) -> Result<R, Report> {
        // SAFETY: `vector` is of the type of `self`, and each branch reads it as such.
        unsafe {
            match self {
                Self::F32 => Ok(dense(&DenseRef::<f32>::from_datum(vector)?, look)),
                Self::F16 => Ok(dense(&widened::<f16>(vector)?, look)),
                Self::Bf16 => Ok(dense(&widened::<bf16>(vector)?, look)),
                Self::I8 => Ok(dense(&widened::<i8>(vector)?, look)),
                Self::Bit => {
                    let bits: Vec<f32> =
                        BitsRef::from_datum(vector)?.bits().map(f32::from).collect();
                    Ok(dense(&bits, look))
                }
                Self::Sparse => {
                    let vector = SparseRef::from_datum(vector)?;
                    check::indices(&vector)?;
                    Ok(look(vector.dims(), Vector::Sparse(vector.view())))
                }
            }
        }
    }
}

fn dense<R>(vector: &[f32], look: impl FnOnce(usize, Vector<'_>) -> R) -> R {
    look(vector.len(), Vector::Dense(vector))
}

/// # Safety
/// `vector` is a non-null value of the type of `E`.
unsafe fn widened<E: Element>(vector: Datum) -> Result<Vec<f32>, Report> {
    // SAFETY: `vector` is of the type of `E`.
    let vector = unsafe { DenseRef::<E>::from_datum(vector) }?;
    Ok(vector.iter().map(|&element| element.to_f32()).collect())
}
