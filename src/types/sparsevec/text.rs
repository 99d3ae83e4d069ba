//! The text form of a sparse vector: `{1:2.5,3:-3e-05}/5`, with indices from 1.
//!
//! Indices are read as C's `strtol` reads them, values as `strtof`, and printed as PostgreSQL
//! prints `real`: the shortest text that reads back.

use std::ffi::{CStr, CString};
use std::io::Write;

use super::{SparseRef, TYPE, check};
use crate::pg::error::Report;
use crate::pg::number;
use crate::types::error;

/// What a literal says: nothing but its syntax and the values is checked.
pub struct Literal {
    /// Number of dimensions; a number that is too large for `i64` is the largest one.
    pub dims: i64,
    /// Indices from 0, in any order, and values, none of them zero.
    pub elements: Vec<(i64, f32)>,
}

/// Reads the text form. The checks come in pgvector's order, as the first one decides the message.
pub fn parse(literal: &CStr) -> Result<Literal, Report> {
    Parser { literal, bytes: literal.to_bytes(), at: 0 }.vector()
}

/// Prints the text form.
pub fn format(vector: &SparseRef) -> CString {
    let mut text = Vec::with_capacity(vector.values().len() * 20 + 16);
    text.push(b'{');
    for (i, (index, x)) in vector.elements().enumerate() {
        if i > 0 {
            text.push(b',');
        }
        push_integer(&mut text, index as usize + 1);
        text.push(b':');
        number::push_shortest(&mut text, x);
    }
    text.extend_from_slice(b"}/");
    push_integer(&mut text, vector.dims());
    CString::new(text).expect("punctuation and numbers have no NUL")
}

fn push_integer(text: &mut Vec<u8>, n: usize) {
    write!(text, "{n}").expect("a Vec takes all that is written");
}

struct Parser<'a> {
    literal: &'a CStr,
    bytes: &'a [u8],
    at: usize,
}

impl Parser<'_> {
    fn vector(&mut self) -> Result<Literal, Report> {
        let n_commas = self.bytes.iter().filter(|&&byte| byte == b',').count();
        check::nnz(n_commas + 1)?;
        self.skip_space();
        if !self.skip(b'{') {
            return Err(self.syntax(Some("Vector contents must start with \"{\".")));
        }
        self.skip_space();
        let mut elements = Vec::new();
        if !self.skip(b'}') {
            elements.reserve(n_commas + 1);
            self.elements(&mut elements)?;
        }
        self.skip_space();
        if !self.skip(b'/') {
            return Err(self.syntax(Some("Unexpected end of input.")));
        }
        self.skip_space();
        let dims = self.integer()?;
        self.skip_space();
        match self.peek() {
            None => Ok(Literal { dims, elements }),
            Some(_) => Err(self.syntax(Some("Junk after closing."))),
        }
    }

    /// The elements and the closing brace.
    fn elements(&mut self, elements: &mut Vec<(i64, f32)>) -> Result<(), Report> {
        loop {
            self.skip_space();
            let index = self.integer()?.saturating_sub(1);
            self.skip_space();
            if !self.skip(b':') {
                return Err(self.syntax(None));
            }
            self.skip_space();
            let value = self.value()?;
            if value != 0.0 {
                elements.push((index, value));
            }
            self.skip_space();
            if self.skip(b'}') {
                return Ok(());
            }
            if !self.skip(b',') {
                return Err(self.syntax(None));
            }
        }
    }

    /// A whole number; one too large for `i64` becomes the largest, or least.
    fn integer(&mut self) -> Result<i64, Report> {
        let negative = self.peek() == Some(b'-');
        let sign = usize::from(negative || self.peek() == Some(b'+'));
        let digits = &self.bytes[self.at + sign..];
        let n_digits = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if n_digits == 0 {
            return Err(self.syntax(None));
        }
        self.at += sign + n_digits;
        Ok(digits[..n_digits].iter().fold(0, |n: i64, &digit| {
            let digit = i64::from(digit - b'0');
            n.saturating_mul(10).saturating_add(if negative { -digit } else { digit })
        }))
    }

    fn value(&mut self) -> Result<f32, Report> {
        let (value, len) = number::parse_float(self.literal, self.at);
        if len == 0 {
            return Err(self.syntax(None));
        }
        let token = &self.bytes[self.at..self.at + len];
        let overflow = value.is_infinite() && !number::spells_infinity(token);
        let underflow = value == 0.0 && !number::spells_zero(token);
        if overflow || underflow {
            return Err(error::out_of_range(TYPE, token));
        }
        check::finite(value)?;
        self.at += len;
        Ok(value)
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Passes over `byte` if it comes next.
    fn skip(&mut self, byte: u8) -> bool {
        let comes = self.peek() == Some(byte);
        self.at += usize::from(comes);
        comes
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)) {
            self.at += 1;
        }
    }

    fn syntax(&self, detail: Option<&'static str>) -> Report {
        error::syntax(TYPE, self.bytes, detail)
    }
}
