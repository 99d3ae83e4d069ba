//! What the elements of an indexed column are.

#![allow(unsafe_code)] // reads datums

use half::{bf16, f16};
use pgrx::pg_sys::Datum;

use crate::pg::error::Report;
use crate::types::dense::{DenseRef, Element};

/// A dense type that an index can be on.
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
}

impl ElementKind {
    /// The kind whose discriminant `byte` is, if there is one.
    pub fn from_byte(byte: u8) -> Option<Self> {
        [Self::F32, Self::F16, Self::Bf16, Self::I8].into_iter().find(|&kind| kind as u8 == byte)
    }

    /// The SQL name of the type.
    pub fn type_name(self) -> &'static str {
        match self {
            Self::F32 => f32::TYPE,
            Self::F16 => f16::TYPE,
            Self::Bf16 => bf16::TYPE,
            Self::I8 => i8::TYPE,
        }
    }

    /// Shows a vector as single-precision numbers, which all elements are exactly.
    ///
    /// # Safety
    /// `vector` is a non-null value of this type.
    pub unsafe fn look<R>(
        self,
        vector: Datum,
        look: impl FnOnce(&[f32]) -> R,
    ) -> Result<R, Report> {
        // SAFETY: the caller's promise.
        unsafe {
            match self {
                Self::F32 => Ok(look(&DenseRef::<f32>::from_datum(vector)?)),
                Self::F16 => Ok(look(&widened::<f16>(vector)?)),
                Self::Bf16 => Ok(look(&widened::<bf16>(vector)?)),
                Self::I8 => Ok(look(&widened::<i8>(vector)?)),
            }
        }
    }
}

/// # Safety
/// `vector` is a non-null value of the type of `E`.
unsafe fn widened<E: Element>(vector: Datum) -> Result<Vec<f32>, Report> {
    // SAFETY: the caller's promise.
    let vector = unsafe { DenseRef::<E>::from_datum(vector) }?;
    Ok(vector.iter().map(|&element| element.to_f32()).collect())
}
