//! Rows as results of functions.

#![allow(unsafe_code)] // calls into PostgreSQL

use std::ptr;

use pgrx::pg_sys::{self, Datum};

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
        let mut desc: pg_sys::TupleDesc = ptr::null_mut();
        // SAFETY: `fcinfo` is valid; the descriptor is set when the result is a composite, and
        // has as many columns as values are given.
        unsafe {
            let class = pg_sys::get_call_result_type(args.fcinfo(), ptr::null_mut(), &raw mut desc);
            if class != pg_sys::TypeFuncClass::TYPEFUNC_COMPOSITE
                || usize::try_from((*desc).natts) != Ok(N)
            {
                return Err(Report::internal(format!("function must return {N} columns")));
            }
            let row = pg_sys::heap_form_tuple(desc, values.as_mut_ptr(), nulls.as_mut_ptr());
            Ok(pg_sys::HeapTupleHeaderGetDatum((*row).t_data))
        }
    }
}
