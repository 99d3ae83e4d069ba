//! Storage parameters: `WITH (lists = …, quantization = …)`.

#![allow(unsafe_code)] // calls into PostgreSQL

use std::ffi::CStr;
use std::mem::offset_of;
use std::ptr;
use std::sync::OnceLock;

use ivf::Quantization;
use pgrx::pg_guard;
use pgrx::pg_sys::relopt_type::{RELOPT_TYPE_ENUM, RELOPT_TYPE_INT};
use pgrx::pg_sys::{self, Datum, Relation, bytea, relopt_enum_elt_def, relopt_kind};

use super::method::Method;
use crate::pg::version;

const MAX_LISTS: i32 = 32_768;

/// Values of `quantization`: what PostgreSQL keeps of each, and its name.
const QUANTIZATIONS: [(Quantization, i32, &CStr); 3] = [
    (Quantization::None, 0, c"none"),
    (Quantization::Rabitq, 1, c"rabitq"),
    (Quantization::Sq8, 2, c"sq8"),
];

/// The parameters as PostgreSQL keeps them with an open index.
#[repr(C)]
struct Stored {
    vl_len: i32,
    lists: i32,
    quantization: i32,
}

/// What a method's parameters are where they are not set, and the least number of lists.
struct Defaults {
    lists: i32,
    least_lists: i32,
    quantization: Quantization,
}

fn defaults(method: Method) -> Defaults {
    match method {
        Method::Ivf => Defaults { lists: 0, least_lists: 0, quantization: Quantization::Rabitq },
        Method::IvfFlat => {
            Defaults { lists: 100, least_lists: 1, quantization: Quantization::None }
        }
    }
}

/// The parameters of an index.
pub struct Options {
    /// Lists, 1..=32,768; 0 for as many as the rows want.
    pub lists: usize,
    /// What is held of vectors.
    pub quantization: Quantization,
}

impl Options {
    /// Reads the parameters that a new index is to be made with.
    ///
    /// # Safety
    /// `index` is an open index of one of the two methods.
    pub unsafe fn of(index: Relation) -> Options {
        // SAFETY: the caller's promise; a parser made what `rd_options` points to, and it is null
        // where nothing is set.
        let (method, stored) =
            unsafe { (Method::of(index), (*index).rd_options.cast::<Stored>().as_ref()) };
        let Defaults { lists, quantization, .. } = defaults(method);
        // PostgreSQL has checked the ranges.
        Options {
            lists: stored.map_or(lists, |stored| stored.lists) as usize,
            quantization: stored
                .map_or(quantization, |stored| quantization_of(stored.quantization)),
        }
    }
}

fn quantization_of(number: i32) -> Quantization {
    let found = QUANTIZATIONS.iter().find(|&&(_, kept, _)| kept == number);
    found.map_or(Quantization::None, |&(value, ..)| value)
}

static IVF: OnceLock<relopt_kind::Type> = OnceLock::new();
static IVFFLAT: OnceLock<relopt_kind::Type> = OnceLock::new();

/// Makes the parameters known.
pub fn register() {
    IVF.get_or_init(|| add(&defaults(Method::Ivf)));
    IVFFLAT.get_or_init(|| add(&defaults(Method::IvfFlat)));
}

fn add(defaults: &Defaults) -> relopt_kind::Type {
    let lock = pg_sys::AccessExclusiveLock as i32;
    let value = |(_, symbol_val, name): (Quantization, i32, &CStr)| relopt_enum_elt_def {
        string_val: name.as_ptr(),
        symbol_val,
    };
    let end = relopt_enum_elt_def { string_val: ptr::null(), symbol_val: 0 };
    let values: Vec<_> = QUANTIZATIONS.into_iter().map(value).chain([end]).collect();
    let &Defaults { lists, least_lists, quantization } = defaults;
    let quantization = QUANTIZATIONS.iter().find(|&&(value, ..)| value == quantization);
    let quantization = quantization.map_or(0, |&(_, number, _)| number);
    // SAFETY: strings that end with NUL; names and texts are copied, the list of values is kept,
    // and never freed.
    unsafe {
        let kind = pg_sys::add_reloption_kind();
        let text = c"Number of inverted lists";
        let (name, text) = (c"lists".as_ptr(), text.as_ptr());
        pg_sys::add_int_reloption(kind, name, text, lists, least_lists, MAX_LISTS, lock);
        pg_sys::add_enum_reloption(
            kind,
            c"quantization".as_ptr(),
            c"Codes that searches read instead of most vectors".as_ptr(),
            values.leak().as_mut_ptr(),
            quantization,
            c"Valid values are \"none\", \"sq8\" and \"rabitq\".".as_ptr(),
            lock,
        );
        kind
    }
}

/// Parses storage parameters of an `ivf` index. Which parser an index has tells its method.
#[pg_guard]
pub unsafe extern "C-unwind" fn ivf_amoptions(reloptions: Datum, validate: bool) -> *mut bytea {
    // SAFETY: PostgreSQL gives the parameters as its catalog has them.
    unsafe { parse(&IVF, reloptions, validate) }
}

/// Parses those of an `ivfflat` index.
#[pg_guard]
pub unsafe extern "C-unwind" fn ivfflat_amoptions(reloptions: Datum, validate: bool) -> *mut bytea {
    // SAFETY: as above.
    unsafe { parse(&IVFFLAT, reloptions, validate) }
}

/// # Safety
/// `reloptions` is what PostgreSQL hands to a parser.
unsafe fn parse(
    kind: &OnceLock<relopt_kind::Type>,
    reloptions: Datum,
    validate: bool,
) -> *mut bytea {
    let options = [
        version::option(c"lists", RELOPT_TYPE_INT, offset_of!(Stored, lists) as i32),
        version::option(c"quantization", RELOPT_TYPE_ENUM, offset_of!(Stored, quantization) as i32),
    ];
    let Some(&kind) = kind.get() else { return ptr::null_mut() };
    // SAFETY: the caller's promise; the options point into a struct of this size.
    unsafe {
        let (parsed, n) = (options.as_ptr(), options.len() as i32);
        pg_sys::build_reloptions(reloptions, validate, kind, size_of::<Stored>(), parsed, n).cast()
    }
}
