//! Distances of PostgreSQL's own type `bit`. Layout: length word, number of bits as `i32`, the
//! bits from the highest of each byte on; bits behind the last are zero.

use std::fmt::Display;

use pgrx::PgSqlErrorCode::ERRCODE_PROGRAM_LIMIT_EXCEEDED;
use pgrx::PgSqlErrorCode::{ERRCODE_DATA_CORRUPTED, ERRCODE_DATA_EXCEPTION};

use pgrx::pg_sys::Datum;

use crate::pg::error::Report;
use crate::pg::function::{Args, Argument, Return, pg_functions};
use crate::pg::varlena::{Detoasted, VARHDRSZ, VarlenaBuf};

/// Bytes before the bits: length word, number of bits.
const HEADER: usize = VARHDRSZ + 4;

pg_functions! {
    /// Operator `<~>`.
    fn hamming_distance(a: BitsRef, b: BitsRef) -> Result<f64, Report> {
        hamming(&a, &b)
    }

    /// Operator `<%>`.
    fn jaccard_distance(a: BitsRef, b: BitsRef) -> Result<f64, Report> {
        jaccard(&a, &b)
    }
}

/// Number of bits that differ.
pub fn hamming(a: &BitsRef, b: &BitsRef) -> Result<f64, Report> {
    let (a, b) = same_len(a, b)?;
    Ok(kernels::hamming(a, b).into())
}

/// 1 - common bits / bits in either; 1 if there is no common one.
pub fn jaccard(a: &BitsRef, b: &BitsRef) -> Result<f64, Report> {
    let (a, b) = same_len(a, b)?;
    let (common, either) = kernels::jaccard_terms(a, b);
    Ok(if common == 0 { 1.0 } else { 1.0 - f64::from(common) / f64::from(either) })
}

/// A `bit` (or `bit varying`) argument.
pub struct BitsRef<'a> {
    value: Detoasted<'a>,
    n_bits: i32,
}

impl<'a> BitsRef<'a> {
    /// Views a datum.
    ///
    /// # Safety
    /// `datum` is a non-null value of type `bit` that lives during `'a`.
    #[allow(unsafe_code)] // datums are raw pointers
    pub unsafe fn from_datum(datum: Datum) -> Result<BitsRef<'a>, Report> {
        // SAFETY: `datum` is of type `bit`, which is of variable length, and lives during `'a`.
        BitsRef::new(unsafe { Detoasted::from_datum(datum) })
    }

    #[inline]
    fn new(value: Detoasted<'a>) -> Result<BitsRef<'a>, Report> {
        match value.slice::<i32>(VARHDRSZ, 1) {
            Some(&[n_bits]) => Ok(BitsRef { value, n_bits }),
            Some(_) | None => Err(Report::new(ERRCODE_DATA_CORRUPTED, "invalid value of type bit")),
        }
    }

    fn bytes(&self) -> &[u8] {
        self.value.slice(HEADER, self.value.size() - HEADER).unwrap_or_default()
    }

    /// The bits from the first on, each 0 or 1.
    pub fn bits(&self) -> impl Iterator<Item = u8> {
        let count = usize::try_from(self.n_bits).unwrap_or(0);
        let bytes = self.bytes().iter();
        bytes.flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).take(count)
    }
}

impl<'a> Argument<'a> for BitsRef<'a> {
    #[inline]
    fn take(args: &mut Args<'a>) -> Result<BitsRef<'a>, Report> {
        BitsRef::new(Detoasted::take(args)?)
    }
}

/// A `bit` value under construction.
pub struct BitsBuf {
    value: VarlenaBuf,
    n_bytes: usize,
}

impl BitsBuf {
    /// `n_bits` zeros.
    pub fn zeroed(n_bits: usize) -> Result<BitsBuf, Report> {
        let too_long = |_| Report::new(ERRCODE_PROGRAM_LIMIT_EXCEEDED, "bit string is too long");
        let n_bytes = n_bits.div_ceil(8);
        let mut value = VarlenaBuf::zeroed(HEADER + n_bytes)?;
        value.slice_mut(VARHDRSZ, 1)[0] = i32::try_from(n_bits).map_err(too_long)?;
        Ok(BitsBuf { value, n_bytes })
    }

    /// The bits, from the highest of each byte on; those behind the last must stay zero.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        self.value.slice_mut(HEADER, self.n_bytes)
    }
}

impl Return for BitsBuf {
    fn into_datum(self, args: &Args) -> Result<Datum, Report> {
        self.value.into_datum(args)
    }
}

fn same_len<'a>(a: &'a BitsRef, b: &'a BitsRef) -> Result<(&'a [u8], &'a [u8]), Report> {
    if a.n_bits == b.n_bits {
        return Ok((a.bytes(), b.bytes()));
    }
    Err(different_lengths(a.n_bits, b.n_bits))
}

/// Two strings that must have the same number of bits do not.
#[cold]
pub fn different_lengths(a: impl Display, b: impl Display) -> Report {
    Report::new(ERRCODE_DATA_EXCEPTION, format!("different bit lengths {a} and {b}"))
}
