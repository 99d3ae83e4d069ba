//! The text form of a vector: `[1,2.5,-3e-05]`.
//!
//! Elements are read as C's `strtof` reads them, so hexadecimal numbers and a leading `+` are
//! fine, and are printed as PostgreSQL prints `real`: the shortest text that reads back.

use std::ffi::{CStr, CString};

use super::MAX_DIMS;
use super::error::{VectorError, check_element};
use crate::pg::error::printable;
use crate::pg::number;

/// Reads the text form. The checks come in pgvector's order, as the first one decides the message.
pub fn parse(literal: &CStr) -> Result<Vec<f32>, VectorError> {
    Parser { literal, bytes: literal.to_bytes(), at: 0 }.vector()
}

/// Prints the text form.
pub fn format(elements: &[f32]) -> CString {
    let mut text = Vec::with_capacity(elements.len() * 12 + 3);
    text.push(b'[');
    for (i, &element) in elements.iter().enumerate() {
        if i > 0 {
            text.push(b',');
        }
        number::push_shortest(&mut text, element);
    }
    text.push(b']');
    CString::new(text).expect("brackets, commas and numbers have no NUL")
}

struct Parser<'a> {
    literal: &'a CStr,
    bytes: &'a [u8],
    at: usize,
}

impl Parser<'_> {
    fn vector(&mut self) -> Result<Vec<f32>, VectorError> {
        self.skip_space();
        if self.peek() != Some(b'[') {
            return Err(self.syntax(Some("Vector contents must start with \"[\".")));
        }
        self.at += 1;
        self.skip_space();
        if self.peek() == Some(b']') {
            return Err(VectorError::NoDims);
        }
        let elements = self.elements()?;
        self.skip_space();
        match self.peek() {
            None => Ok(elements),
            Some(_) => Err(self.syntax(Some("Junk after closing right brace."))),
        }
    }

    /// The elements and the closing bracket.
    fn elements(&mut self) -> Result<Vec<f32>, VectorError> {
        let n_commas = self.bytes.iter().filter(|&&byte| byte == b',').count();
        let mut elements = Vec::with_capacity((n_commas + 1).min(MAX_DIMS));
        loop {
            if elements.len() == MAX_DIMS {
                return Err(VectorError::TooManyDims);
            }
            self.skip_space();
            elements.push(self.element()?);
            self.skip_space();
            let delimiter = self.peek();
            self.at += 1;
            match delimiter {
                Some(b',') => {}
                Some(b']') => return Ok(elements),
                Some(_) | None => return Err(self.syntax(None)),
            }
        }
    }

    fn element(&mut self) -> Result<f32, VectorError> {
        let (value, len) = number::parse_float(self.literal, self.at);
        if len == 0 {
            return Err(self.syntax(None));
        }
        let token = &self.bytes[self.at..self.at + len];
        if value.is_infinite() && !number::spells_infinity(token) {
            return Err(VectorError::OutOfRange { token: printable(token) });
        }
        check_element(value)?;
        self.at += len;
        Ok(value)
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)) {
            self.at += 1;
        }
    }

    fn syntax(&self, detail: Option<&'static str>) -> VectorError {
        VectorError::Syntax { literal: printable(self.bytes), detail }
    }
}
