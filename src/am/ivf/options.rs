//! Storage parameters: `WITH (lists = …, quantization = …)`.

#![allow(unsafe_code)] // calls into PostgreSQL

use std::mem::offset_of;
use std::ptr;
use std::sync::OnceLock;

use pgrx::pg_guard;
use pgrx::pg_sys::relopt_type::{RELOPT_TYPE_ENUM, RELOPT_TYPE_INT};
use pgrx::pg_sys::{self, Datum, Relation, bytea, relopt_enum_elt_def};

use crate::pg::version;

const DEFAULT_LISTS: i32 = 100;
const MAX_LISTS: i32 = 32_768;

/// Values of `quantization`.
const NONE: i32 = 0;
const RABITQ: i32 = 1;

/// The parameters as PostgreSQL keeps them with an open index.
#[repr(C)]
struct Stored {
    vl_len: i32,
    lists: i32,
    quantization: i32,
}

/// The parameters of an index.
pub struct Options {
    /// Lists, 1..=32,768.
    pub lists: usize,
    /// Whether entries carry codes.
    pub coded: bool,
}

impl Options {
    /// Reads the parameters that a new index is to be made with.
    ///
    /// # Safety
    /// `index` is open.
    pub unsafe fn of(index: Relation) -> Options {
        // SAFETY: `amoptions` made what `rd_options` points to; it is null where nothing is set.
        let stored = unsafe { (*index).rd_options.cast::<Stored>().as_ref() };
        // PostgreSQL has checked the ranges.
        Options {
            lists: stored.map_or(DEFAULT_LISTS, |stored| stored.lists) as usize,
            coded: stored.is_some_and(|stored| stored.quantization == RABITQ),
        }
    }
}

static KIND: OnceLock<pg_sys::relopt_kind::Type> = OnceLock::new();

/// Makes the parameters known.
pub fn register() {
    KIND.get_or_init(|| {
        let lock = pg_sys::AccessExclusiveLock as i32;
        let values = [(c"none", NONE), (c"rabitq", RABITQ)].map(|(name, symbol_val)| {
            relopt_enum_elt_def { string_val: name.as_ptr(), symbol_val }
        });
        let end = relopt_enum_elt_def { string_val: ptr::null(), symbol_val: 0 };
        let values: Vec<_> = values.into_iter().chain([end]).collect();
        // SAFETY: strings that end with NUL; names and texts are copied, the list of values is kept,
        // and never freed.
        unsafe {
            let kind = pg_sys::add_reloption_kind();
            let text = c"Number of inverted lists";
            let (name, max) = (c"lists", MAX_LISTS);
            let (name, text) = (name.as_ptr(), text.as_ptr());
            pg_sys::add_int_reloption(kind, name, text, DEFAULT_LISTS, 1, max, lock);
            pg_sys::add_enum_reloption(
                kind,
                c"quantization".as_ptr(),
                c"Codes that searches read instead of most vectors".as_ptr(),
                values.leak().as_mut_ptr(),
                NONE,
                c"Valid values are \"none\" and \"rabitq\".".as_ptr(),
                lock,
            );
            kind
        }
    });
}

/// Parses storage parameters.
#[pg_guard]
pub unsafe extern "C-unwind" fn amoptions(reloptions: Datum, validate: bool) -> *mut bytea {
    let options = [
        version::option(c"lists", RELOPT_TYPE_INT, offset_of!(Stored, lists) as i32),
        version::option(c"quantization", RELOPT_TYPE_ENUM, offset_of!(Stored, quantization) as i32),
    ];
    let Some(&kind) = KIND.get() else { return ptr::null_mut() };
    // SAFETY: the options point into a struct of this size.
    unsafe {
        let (parsed, n) = (options.as_ptr(), options.len() as i32);
        pg_sys::build_reloptions(reloptions, validate, kind, size_of::<Stored>(), parsed, n).cast()
    }
}
