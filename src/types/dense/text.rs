//! The text form of a vector: `[1,2.5,-3e-05]`.
//!
//! Elements are read as C's `strtof` reads them (integers as integers), and are printed as
//! PostgreSQL prints `real`: the shortest text that reads back.

use std::ffi::{CStr, CString};
use std::marker::PhantomData;

use super::{Element, MAX_DIMS, check};
use crate::pg::error::Report;
use crate::pg::number;
use crate::types::error;

/// Reads the text form. The checks come in pgvector's order, as the first one decides the message.
pub fn parse<E: Element>(literal: &CStr) -> Result<Vec<E>, Report> {
    Parser { literal, bytes: literal.to_bytes(), at: 0, element: PhantomData }.vector()
}

/// Prints the text form.
pub fn format<E: Element>(elements: &[E]) -> CString {
    let mut text = Vec::with_capacity(elements.len() * 12 + 3);
    text.push(b'[');
    for (i, element) in elements.iter().enumerate() {
        if i > 0 {
            text.push(b',');
        }
        number::push_shortest(&mut text, element.to_f32());
    }
    text.push(b']');
    CString::new(text).expect("brackets, commas and numbers have no NUL")
}

struct Parser<'a, E> {
    literal: &'a CStr,
    bytes: &'a [u8],
    at: usize,
    element: PhantomData<E>,
}

impl<E: Element> Parser<'_, E> {
    fn vector(&mut self) -> Result<Vec<E>, Report> {
        self.skip_space();
        if self.peek() != Some(b'[') {
            return Err(self.syntax(Some("Vector contents must start with \"[\".")));
        }
        self.at += 1;
        self.skip_space();
        if self.peek() == Some(b']') {
            return Err(error::no_dims(E::TYPE));
        }
        let elements = self.elements()?;
        self.skip_space();
        match self.peek() {
            None => Ok(elements),
            Some(_) => Err(self.syntax(Some("Junk after closing right brace."))),
        }
    }

    /// The elements and the closing bracket.
    fn elements(&mut self) -> Result<Vec<E>, Report> {
        let n_commas = self.bytes.iter().filter(|&&byte| byte == b',').count();
        let mut elements = Vec::with_capacity((n_commas + 1).min(MAX_DIMS));
        loop {
            if elements.len() == MAX_DIMS {
                return Err(error::too_many_dims(E::TYPE, MAX_DIMS));
            }
            self.skip_space();
            elements.push(self.element()?);
            self.skip_space();
            let delimiter = self.peek();
            self.at += 1;
            match delimiter {
                Some(b',') => {}
                Some(b']') => return Ok(elements),
                Some(_) | None => return Err(self.syntax(E::SYNTAX)),
            }
        }
    }

    fn element(&mut self) -> Result<E, Report> {
        let (value, len) = E::parse(self.literal, self.at);
        if len == 0 {
            return Err(self.syntax(E::SYNTAX));
        }
        let token = &self.bytes[self.at..self.at + len];
        if !E::fits(value) {
            if value.is_nan() || number::spells_infinity(token) {
                check::finite::<E>(value)?;
            }
            return Err(error::out_of_range(E::TYPE, token));
        }
        self.at += len;
        Ok(E::from_f32(value))
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)) {
            self.at += 1;
        }
    }

    fn syntax(&self, detail: Option<&str>) -> Report {
        error::syntax(E::TYPE, self.bytes, detail)
    }
}
