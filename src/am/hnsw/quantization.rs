//! Storage parameter `quantization`: in which form an index holds its vectors.

#![allow(unsafe_code)] // calls into PostgreSQL

use std::ffi::CStr;
use std::ptr;

use pages::Form;
use pgrx::PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED;
use pgrx::pg_sys::{self, relopt_enum_elt_def};
use quant::Metric;

use crate::am::element_kind::ElementKind;
use crate::am::opclass::OpClass;
use crate::pg::error::Report;

/// Values of the parameter. The discriminants are what PostgreSQL keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Quantization {
    /// Small and nearly exact, or exact.
    Auto = 0,
    /// Exact.
    None = 1,
    /// One byte a dimension.
    Sq8 = 2,
    /// Four bits a dimension.
    Rabitq = 3,
}

impl Quantization {
    /// All values and their names.
    const ALL: [(Self, &CStr); 4] = [
        (Self::Auto, c"auto"),
        (Self::None, c"none"),
        (Self::Sq8, c"sq8"),
        (Self::Rabitq, c"rabitq"),
    ];

    /// The value that PostgreSQL keeps as `number`.
    pub fn from_number(number: i32) -> Self {
        let found = Self::ALL.into_iter().find(|&(value, _)| value as i32 == number);
        found.map_or(Self::Auto, |(value, _)| value)
    }

    /// The value of this name.
    pub fn named(name: &str) -> Option<Self> {
        let is_named = |&&(_, known): &&(Self, &CStr)| known.to_bytes() == name.as_bytes();
        Self::ALL.iter().find(is_named).map(|&(value, _)| value)
    }

    /// The form in which an index on vectors of such elements holds them, as long as these do not
    /// ask for another (see [`graph::Bulk::is_blurred`]).
    pub fn form(self, OpClass { kind, metric }: OpClass, dims: usize) -> Result<Form, Report> {
        let form = match (self, kind) {
            (Self::Auto | Self::None, ElementKind::Bit) => Form::Bits,
            (Self::Auto | Self::None, ElementKind::Sparse) => Form::Sparse,
            (Self::None, ElementKind::F32 | ElementKind::Bf16) => Form::Floats,
            (Self::Auto | Self::None | Self::Sq8, ElementKind::I8) => Form::Bytes,
            (Self::Auto, ElementKind::F32) => Form::of_floats(dims),
            (Self::None, ElementKind::F16) | (Self::Auto, _) => Form::Halves,
            (Self::Sq8, _) => Form::Sq8,
            (Self::Rabitq, _) => Form::Rabitq,
        };
        let sparse = kind == ElementKind::Sparse;
        if form.is_rotated() && (sparse || !metric.keeps_rotation()) {
            let name = if self == Self::Sq8 { "sq8" } else { "rabitq" };
            let distance = match metric {
                _ if sparse => "sparse vectors",
                Metric::L1 => "taxicab distance",
                Metric::Hamming | Metric::Jaccard => "bit strings",
                Metric::L2 | Metric::InnerProduct | Metric::Cosine => "this distance",
            };
            let message = format!("quantization \"{name}\" is not supported for {distance}");
            return Err(Report::new(ERRCODE_FEATURE_NOT_SUPPORTED, message)
                .hint("Leave quantization at \"auto\", or set it to \"none\"."));
        }
        Ok(form)
    }
}

/// Makes the parameter known.
///
/// # Safety
/// Called once, when the library is loaded, with a kind of parameters of ours.
pub unsafe fn add_option(kind: pg_sys::relopt_kind::Type, lock: pg_sys::LOCKMODE) {
    let value = |(value, name): (Quantization, &CStr)| relopt_enum_elt_def {
        string_val: name.as_ptr(),
        symbol_val: value as i32,
    };
    let end = relopt_enum_elt_def { string_val: ptr::null(), symbol_val: 0 };
    let values: Vec<_> = Quantization::ALL.into_iter().map(value).chain([end]).collect();
    let (name, text) = (c"quantization", c"Form in which the index holds vectors");
    let detail = c"Valid values are \"auto\", \"none\", \"sq8\" and \"rabitq\".";
    // SAFETY: strings that end with NUL; PostgreSQL copies them but keeps the list.
    unsafe {
        pg_sys::add_enum_reloption(
            kind,
            name.as_ptr(),
            text.as_ptr(),
            values.leak().as_mut_ptr(),
            Quantization::Auto as i32,
            detail.as_ptr(),
            lock,
        );
    }
}
