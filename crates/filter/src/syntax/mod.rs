//! From text to a tree: what Milvus's grammar says, without knowing any table.

mod ast;
mod lexer;
mod number;
mod parser;
mod primary;
mod string;
mod token;

pub(crate) use ast::{Arithmetic, Call, Comparison, Expr, Field, Logic, Node, Sign, Step};
pub(crate) use parser::parse;
pub(crate) use string::regex_origin;

/// Bytes of the text of a filter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub start: usize,
    pub end: usize,
}

impl Span {
    /// From the begin of this to the end of `other`.
    pub(crate) fn to(self, other: Self) -> Self {
        Self { start: self.start, end: other.end }
    }
}
