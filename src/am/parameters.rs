//! Storage parameters: what `WITH (…)` may say of an index.
//!
//! Each is a number, a word that PostgreSQL keeps as a number, a flag, or a text.

#![allow(unsafe_code)] // calls into PostgreSQL

use std::ffi::{CStr, c_char};
use std::sync::OnceLock;
use std::{array, ptr};

use pgrx::pg_sys::relopt_type::{
    RELOPT_TYPE_BOOL, RELOPT_TYPE_ENUM, RELOPT_TYPE_INT, RELOPT_TYPE_REAL, RELOPT_TYPE_STRING,
};
use pgrx::pg_sys::{self, Datum, Relation, bytea, relopt_enum_elt_def, relopt_kind};

use crate::pg::encoding::decode_c;
use crate::pg::error::Report;
use crate::pg::version;

/// A storage parameter.
pub struct Parameter {
    /// Its name.
    pub name: &'static CStr,
    /// What it is.
    pub text: &'static CStr,
    /// Its value where none is set: a number, the place of a word, or 1 for a flag that is on.
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
    /// On or off.
    Flag,
    /// Numbers between two, these included, and the number where none is set.
    Reals(f64, f64, f64),
    /// Texts, the text where none is set, and what raises an error for a text that is refused. It accepts
    /// the default without looking at a database, as PostgreSQL asks when the library is loaded.
    Text(&'static CStr, Check),
}

/// Raises an error for a text that ends with NUL.
pub type Check = unsafe extern "C-unwind" fn(*const c_char);

/// Refuses numbers and words that do not go together, in the order of the list.
pub type CheckAll = fn(&[i32]) -> Result<(), Report>;

/// All storage parameters of an access method.
pub struct Parameters {
    list: &'static [Parameter],
    check: Option<CheckAll>,
    kind: OnceLock<relopt_kind::Type>,
}

/// Bytes of a value, and of the length before the first.
const VALUE: usize = size_of::<f64>();

impl Parameters {
    /// Those of the list.
    pub const fn new(list: &'static [Parameter]) -> Parameters {
        Parameters { list, check: None, kind: OnceLock::new() }
    }

    /// Those of the list, if `check` accepts them together.
    pub const fn checked(list: &'static [Parameter], check: CheckAll) -> Parameters {
        Parameters { list, check: Some(check), kind: OnceLock::new() }
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
                    Values::Flag => RELOPT_TYPE_BOOL,
                    Values::Reals(..) => RELOPT_TYPE_REAL,
                    Values::Text(..) => RELOPT_TYPE_STRING,
                };
                version::option(name, kind, place * VALUE as i32)
            })
            .collect();
        let size = (1 + options.len()) * VALUE;
        // SAFETY: PostgreSQL passed `reloptions` to `amoptions`; the options point into a struct of
        // this size.
        let parsed: *mut bytea = unsafe {
            let (parsed, n) = (options.as_ptr(), options.len() as i32);
            pg_sys::build_reloptions(reloptions, validate, kind, size, parsed, n).cast()
        };
        if let Some(check) = self.check.filter(|_| validate) {
            // SAFETY: `parsed` was made for this list.
            check(&unsafe { self.numbers(parsed) }).unwrap_or_else(|error| error.raise());
        }
        parsed
    }

    /// All numbers and words, in the order of the list; 0 of other kinds.
    ///
    /// # Safety
    /// `parsed` is from [`Parameters::parse`], or null.
    pub unsafe fn numbers(&self, parsed: *mut bytea) -> Vec<i32> {
        // SAFETY: as promised.
        (0..self.list.len()).map(|place| unsafe { self.number(parsed.cast(), place) }).collect()
    }

    /// The numbers and words for an index, in the order of the list; 0 of other kinds, and beyond its
    /// end.
    ///
    /// # Safety
    /// `index` is an open index of this access method.
    pub unsafe fn of<const N: usize>(&self, index: Relation) -> [i32; N] {
        // SAFETY: the index is open, and `parse` made its options.
        array::from_fn(|i| unsafe { self.number((*index).rd_options.cast(), i) })
    }

    /// The number or word with this place in the list; 0 of other kinds, and beyond its end.
    ///
    /// # Safety
    /// `parsed` is from [`Parameters::parse`], or null.
    unsafe fn number(&self, parsed: *const u8, place: usize) -> i32 {
        match self.list.get(place) {
            Some(Parameter {
                default, values: Values::Numbers(..) | Values::Words(..), ..
            }) => {
                // SAFETY: `parse` made it, and the value is a number.
                unsafe { Self::value(parsed, place) }.unwrap_or(*default)
            }
            _ => 0,
        }
    }

    /// The flag with this place in the list; false of other kinds.
    ///
    /// # Safety
    /// As [`Parameters::of`].
    pub unsafe fn flag(&self, index: Relation, place: usize) -> bool {
        match self.list.get(place) {
            // SAFETY: the index is open, and the value a flag, which is one byte.
            Some(Parameter { default, values: Values::Flag, .. }) => unsafe {
                Self::stored::<u8>(index, place).map_or(*default != 0, |flag| flag != 0)
            },
            _ => false,
        }
    }

    /// The real number with this place in the list; 0 of other kinds.
    ///
    /// # Safety
    /// As [`Parameters::of`].
    pub unsafe fn real(&self, index: Relation, place: usize) -> f64 {
        match self.list.get(place) {
            // SAFETY: the index is open, and the value a real number.
            Some(Parameter { values: Values::Reals(_, _, default), .. }) => unsafe {
                Self::stored(index, place).unwrap_or(*default)
            },
            _ => 0.0,
        }
    }

    /// The text with this place in the list; empty of other kinds.
    ///
    /// # Errors
    /// If it is no text.
    ///
    /// # Safety
    /// As [`Parameters::of`].
    pub unsafe fn text(&self, index: Relation, place: usize) -> Result<String, Report> {
        let Some(Parameter { values: Values::Text(default, _), .. }) = self.list.get(place) else {
            return Ok(String::new());
        };
        // SAFETY: the index is open; the value is where the text is from the length on, or 0.
        unsafe {
            let text = match Self::stored::<i32>(index, place) {
                Some(offset) if offset > 0 => {
                    (*index).rd_options.cast::<c_char>().add(offset as usize)
                }
                _ => default.as_ptr(),
            };
            decode_c(text)
        }
    }

    /// A value for an index; none where nothing is set.
    ///
    /// # Safety
    /// As [`Parameters::of`]; the parameter with this place has values of type `T`.
    unsafe fn stored<T: Copy>(index: Relation, place: usize) -> Option<T> {
        // SAFETY: `parse` made what `rd_options` points to, which is null where nothing is set.
        unsafe { Self::value((*index).rd_options.cast(), place) }
    }

    /// A value; none where nothing is set.
    ///
    /// # Safety
    /// `parsed` is from [`Parameters::parse`], or null; the parameter with this place has values of
    /// type `T`.
    unsafe fn value<T: Copy>(parsed: *const u8, place: usize) -> Option<T> {
        // SAFETY: a place for each parameter follows the length.
        unsafe { (!parsed.is_null()).then(|| *parsed.add((1 + place) * VALUE).cast::<T>()) }
    }
}

impl Parameter {
    fn register(&self, kind: relopt_kind::Type) {
        let lock = pg_sys::AccessExclusiveLock as i32;
        let (name, text) = (self.name.as_ptr(), self.text.as_ptr());
        match self.values {
            // SAFETY: strings that end with NUL, and are copied, here and below.
            Values::Flag => unsafe {
                pg_sys::add_bool_reloption(kind, name, text, self.default != 0, lock);
            },
            // SAFETY: as above.
            Values::Reals(least, most, default) => unsafe {
                pg_sys::add_real_reloption(kind, name, text, default, least, most, lock);
            },
            // SAFETY: as above.
            Values::Text(default, check) => unsafe {
                let default = default.as_ptr();
                pg_sys::add_string_reloption(kind, name, text, default, Some(check), lock);
            },
            // SAFETY: as above.
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
