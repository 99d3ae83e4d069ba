//! Storage parameter `quantization`: in which form an index holds its vectors.

use std::ffi::CStr;

use pgrx::PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED;
use quant::Metric;
use vectors::Form;

use crate::am::element_kind::ElementKind;
use crate::am::opclass::OpClass;
use crate::am::parameters::{Parameter, Values};
use crate::pg::error::Report;

/// Values of the parameter. The discriminants are their places among the words of the parameter.
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
    /// All values, in the order of the parameter's words.
    const ALL: [Self; 4] = [Self::Auto, Self::None, Self::Sq8, Self::Rabitq];

    /// The value that PostgreSQL keeps as `number`.
    pub fn from_number(number: i32) -> Self {
        Self::ALL.into_iter().find(|&value| value as i32 == number).unwrap_or(Self::Auto)
    }

    /// The value of this name.
    pub fn named(name: &str) -> Option<Self> {
        let mut named = Self::ALL.into_iter().zip(WORDS);
        named.find(|(_, word)| word.to_bytes() == name.as_bytes()).map(|(value, _)| value)
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

/// Names of the values.
const WORDS: &[&CStr] = &[c"auto", c"none", c"sq8", c"rabitq"];

/// The parameter.
pub const PARAMETER: Parameter = Parameter {
    name: c"quantization",
    text: c"Form in which the index holds vectors",
    default: Quantization::Auto as i32,
    values: Values::Words(WORDS, c"Valid values are \"auto\", \"none\", \"sq8\" and \"rabitq\"."),
};
