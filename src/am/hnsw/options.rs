//! Storage parameters: `WITH (m = …, ef_construction = …, quantization = …)`.

#![allow(unsafe_code)] // calls into PostgreSQL

use std::mem::offset_of;
use std::sync::OnceLock;

use pgrx::PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE;
use pgrx::pg_guard;
use pgrx::pg_sys::relopt_type::{RELOPT_TYPE_ENUM, RELOPT_TYPE_INT};
use pgrx::pg_sys::{self, Datum, Relation, bytea};

use super::quantization::{self, Quantization};
use crate::pg::error::Report;
use crate::pg::version;

const DEFAULT_M: i32 = 16;
const DEFAULT_EF_CONSTRUCTION: i32 = 64;

/// The parameters as PostgreSQL keeps them with an open index.
#[repr(C)]
struct Stored {
    vl_len: i32,
    m: i32,
    ef_construction: i32,
    quantization: i32,
}

/// The parameters of an index.
pub struct Options {
    /// Half the neighbors of an element, 2..=100.
    pub m: usize,
    /// Width of the search that finds a new element's neighbors, 4..=1,000, at least `2 * m`.
    pub ef_construction: usize,
    /// In which form vectors are held.
    pub quantization: Quantization,
}

impl Options {
    /// Reads the parameters that a new index is to be made with.
    ///
    /// # Safety
    /// `index` is open.
    pub unsafe fn of(index: Relation) -> Result<Options, Report> {
        // SAFETY: `amoptions` made what `rd_options` points to; it is null where nothing is set.
        let stored = unsafe { (*index).rd_options.cast::<Stored>().as_ref() };
        let m = stored.map_or(DEFAULT_M, |stored| stored.m);
        let ef_construction =
            stored.map_or(DEFAULT_EF_CONSTRUCTION, |stored| stored.ef_construction);
        if ef_construction < 2 * m {
            return Err(Report::new(
                ERRCODE_INVALID_PARAMETER_VALUE,
                "ef_construction must be greater than or equal to 2 * m",
            ));
        }
        let quantization = stored
            .map_or(Quantization::Auto, |stored| Quantization::from_number(stored.quantization));
        // PostgreSQL has checked the ranges.
        Ok(Options { m: m as usize, ef_construction: ef_construction as usize, quantization })
    }
}

static KIND: OnceLock<pg_sys::relopt_kind::Type> = OnceLock::new();

/// Makes the parameters known.
pub fn register() {
    KIND.get_or_init(|| {
        let lock = pg_sys::AccessExclusiveLock as i32;
        let (m, ef) = (DEFAULT_M, DEFAULT_EF_CONSTRUCTION);
        // SAFETY: strings that end with NUL; names and texts are copied.
        unsafe {
            let kind = pg_sys::add_reloption_kind();
            let text = c"Half the number of neighbors of an element";
            pg_sys::add_int_reloption(kind, c"m".as_ptr(), text.as_ptr(), m, 2, 100, lock);
            let (name, text) = (c"ef_construction", c"Size of the candidate list while building");
            pg_sys::add_int_reloption(kind, name.as_ptr(), text.as_ptr(), ef, 4, 1000, lock);
            quantization::add_option(kind, lock);
            kind
        }
    });
}

/// Parses storage parameters.
#[pg_guard]
pub unsafe extern "C-unwind" fn amoptions(reloptions: Datum, validate: bool) -> *mut bytea {
    let options = [
        version::option(c"m", RELOPT_TYPE_INT, offset_of!(Stored, m) as i32),
        version::option(
            c"ef_construction",
            RELOPT_TYPE_INT,
            offset_of!(Stored, ef_construction) as i32,
        ),
        version::option(c"quantization", RELOPT_TYPE_ENUM, offset_of!(Stored, quantization) as i32),
    ];
    let Some(&kind) = KIND.get() else { return std::ptr::null_mut() };
    // SAFETY: the options point into a struct of this size.
    unsafe {
        let (parsed, n) = (options.as_ptr(), options.len() as i32);
        pg_sys::build_reloptions(reloptions, validate, kind, size_of::<Stored>(), parsed, n).cast()
    }
}
