//! Storage parameters: what `WITH (…)` may say of an index.
//!
//! Each is a number, or a word that PostgreSQL keeps as a number.

#![allow(unsafe_code)] // calls into PostgreSQL

use std::ffi::CStr;
use std::sync::OnceLock;
use std::{array, ptr};

use pgrx::pg_sys::relopt_type::{RELOPT_TYPE_ENUM, RELOPT_TYPE_INT};
use pgrx::pg_sys::{self, Datum, Relation, bytea, relopt_enum_elt_def, relopt_kind};

use crate::pg::version;

/// A storage parameter.
pub struct Parameter {
    /// Its name.
    pub name: &'static CStr,
    /// What it is.
    pub text: &'static CStr,
    /// Its value where none is set.
    pub default: i32,
    /// Its values.
    pub values: Values,
}

/// Values of a parameter.
pub enum Values {
    /// Numbers between two, these included.
    Numbers(i32, i32),
    /// Words, each kept as its place among them, and the detail of an error that names them.
    Words(&'static [&'static CStr], &'static CStr),
}

/// All storage parameters of an access method.
pub struct Parameters {
    list: &'static [Parameter],
    kind: OnceLock<relopt_kind::Type>,
}

/// Bytes of a number, and of the length before the first.
const NUMBER: usize = size_of::<i32>();

impl Parameters {
    /// Those of the list.
    pub const fn new(list: &'static [Parameter]) -> Parameters {
        Parameters { list, kind: OnceLock::new() }
    }

    /// Makes them known. Called when the library is loaded.
    pub fn register(&self) {
        self.kind.get_or_init(|| {
            // SAFETY: called on the backend's own thread.
            let kind = unsafe { pg_sys::add_reloption_kind() };
            self.list.iter().for_each(|parameter| parameter.register(kind));
            kind
        });
    }

    /// Parses what an index is made with; null where the library was not loaded as it should be.
    ///
    /// # Safety
    /// Called from `amoptions`, with its arguments.
    pub unsafe fn parse(&self, reloptions: Datum, validate: bool) -> *mut bytea {
        let Some(&kind) = self.kind.get() else { return ptr::null_mut() };
        let options: Vec<_> = (1_i32..)
            .zip(self.list)
            .map(|(place, Parameter { name, values, .. })| {
                let kind = match values {
                    Values::Numbers(..) => RELOPT_TYPE_INT,
                    Values::Words(..) => RELOPT_TYPE_ENUM,
                };
                version::option(name, kind, place * NUMBER as i32)
            })
            .collect();
        let size = (1 + options.len()) * NUMBER;
        // SAFETY: PostgreSQL passed `reloptions` to `amoptions`; the options point into a struct of
        // this size.
        unsafe {
            let (parsed, n) = (options.as_ptr(), options.len() as i32);
            pg_sys::build_reloptions(reloptions, validate, kind, size, parsed, n).cast()
        }
    }

    /// The values for an index, in the order of the list; 0 beyond its end.
    ///
    /// # Safety
    /// `index` is an open index of this access method.
    pub unsafe fn of<const N: usize>(&self, index: Relation) -> [i32; N] {
        // SAFETY: `parse` made what `rd_options` points to, which is null where nothing is set.
        let stored = unsafe { (*index).rd_options.cast::<i32>() };
        array::from_fn(|i| match self.list.get(i) {
            None => 0,
            Some(parameter) if stored.is_null() => parameter.default,
            // SAFETY: a number for each parameter follows the length.
            Some(_) => unsafe { *stored.add(1 + i) },
        })
    }
}

impl Parameter {
    fn register(&self, kind: relopt_kind::Type) {
        let lock = pg_sys::AccessExclusiveLock as i32;
        let (name, text) = (self.name.as_ptr(), self.text.as_ptr());
        match self.values {
            // SAFETY: strings that end with NUL, and are copied.
            Values::Numbers(least, most) => unsafe {
                pg_sys::add_int_reloption(kind, name, text, self.default, least, most, lock);
            },
            Values::Words(words, detail) => {
                let word = |(number, word): (i32, &&CStr)| relopt_enum_elt_def {
                    string_val: word.as_ptr(),
                    symbol_val: number,
                };
                let end = relopt_enum_elt_def { string_val: ptr::null(), symbol_val: 0 };
                let words: Vec<_> = (0..).zip(words).map(word).chain([end]).collect();
                let (words, detail) = (words.leak().as_mut_ptr(), detail.as_ptr());
                // SAFETY: as above; PostgreSQL keeps the list of words, which is never freed.
                unsafe {
                    pg_sys::add_enum_reloption(kind, name, text, words, self.default, detail, lock);
                }
            }
        }
    }
}
