//! Rows: as results of functions, and the attributes of one.

#![allow(unsafe_code)] // calls into PostgreSQL

use std::ptr;

use pgrx::pg_sys::{self, Datum, TupleDesc};

use super::error::Report;
use super::function::{Args, Return};

/// A row of `text` columns, as many as the function's OUT parameters.
pub struct TextRow<const N: usize>(pub [String; N]);

impl<const N: usize> Return for TextRow<N> {
    fn into_datum(self, args: &Args) -> Result<Datum, Report> {
        let mut values = [Datum::null(); N];
        for (value, text) in values.iter_mut().zip(self.0) {
            *value = text.into_datum(args)?;
        }
        let mut nulls = [false; N];
        let columns = declared_columns::<N>(args)?;
        // SAFETY: as many values as columns, which are texts.
        unsafe {
            let row = pg_sys::heap_form_tuple(columns, values.as_mut_ptr(), nulls.as_mut_ptr());
            Ok(pg_sys::HeapTupleHeaderGetDatum((*row).t_data))
        }
    }
}

/// The columns of a function's result.
///
/// # Errors
/// Where SQL does not declare `N` of them.
pub fn declared_columns<const N: usize>(args: &Args) -> Result<TupleDesc, Report> {
    let mut columns: TupleDesc = ptr::null_mut();
    // SAFETY: `fcinfo` is valid; the descriptor is set if the result is composite.
    let is_declared = unsafe {
        let class = pg_sys::get_call_result_type(args.fcinfo(), ptr::null_mut(), &raw mut columns);
        class == pg_sys::TypeFuncClass::TYPEFUNC_COMPOSITE
            && usize::try_from((*columns).natts) == Ok(N)
    };
    let wrong = || Report::internal(format!("function must return {N} columns"));
    is_declared.then_some(columns).ok_or_else(wrong)
}

/// The attributes of a composite value, from the first on; none for NULL. They live as long as the value.
///
/// # Safety
/// `datum` is a non-null value of a composite type that has at least as many attributes.
pub unsafe fn attributes<const N: usize>(datum: Datum) -> [Option<Datum>; N] {
    // SAFETY: a composite value is of variable length, and has these attributes.
    unsafe {
        let row = pg_sys::pg_detoast_datum(datum.cast_mut_ptr()).cast();
        std::array::from_fn(|place| {
            let mut null = false;
            let value = pg_sys::GetAttributeByNum(row, place as i16 + 1, &raw mut null);
            (!null).then_some(value)
        })
    }
}
