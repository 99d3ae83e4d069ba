//! What the column of an index holds, as its operator class says, and how that becomes a document.

#![allow(unsafe_code)] // calls into PostgreSQL, reads datums

use inverted::{Document, Posting};
use memory::{Grow, OutOfMemory};
use pages::HeapTid;
use pgrx::PgSqlErrorCode::{ERRCODE_INVALID_OBJECT_DEFINITION, ERRCODE_PROGRAM_LIMIT_EXCEEDED};
use pgrx::pg_sys::{self, Datum, InvalidOid, Oid, Relation};
use threads::Stopped;

use crate::fulltext::Analyzer;
use crate::pg::array::texts;
use crate::pg::catalog;
use crate::pg::error::Report;
use crate::pg::function::{AnyValue, pg_export};
use crate::types::bm25query::text;
use crate::types::sparsevec::{SparseRef, check};

/// Number of the support function that tells what a class is for.
const CONTENT_FUNCTION: u16 = 1;

/// Positions between the last token of an element of an array and the first of the next: no phrase
/// reaches over it.
const GAP: u32 = 100;

/// A type that an index can be on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Content {
    /// `text`.
    Text = 1,
    /// `text[]`: one document.
    Texts = 2,
    /// `sparsevec`.
    Sparse = 3,
}

pg_export! { "inverted":
    text_support => || Content::Text as i32;
    texts_support => || Content::Texts as i32;
    sparsevec_support => || Content::Sparse as i32;
}

impl Content {
    /// That of an index.
    ///
    /// # Errors
    /// If the operator class does not tell.
    ///
    /// # Safety
    /// `index` is open.
    pub unsafe fn of(index: Relation) -> Result<Self, Report> {
        // SAFETY: the index is open and has a first column; the function takes an argument that it
        // does not look at.
        let content = unsafe {
            if pg_sys::index_getprocid(index, 1, CONTENT_FUNCTION) == InvalidOid {
                None
            } else {
                let function = pg_sys::index_getprocinfo(index, 1, CONTENT_FUNCTION);
                let content = pg_sys::FunctionCall1Coll(function, Oid::INVALID, Datum::null());
                Some(content.value())
            }
        };
        let all = [Self::Text, Self::Texts, Self::Sparse];
        all.into_iter().find(|&known| content == Some(known as usize)).ok_or_else(|| {
            let message = "operator class does not tell access method \"inverted\" what it is for";
            Report::new(ERRCODE_INVALID_OBJECT_DEFINITION, message)
                .hint("Give it one of the functions inverted_*_support as FUNCTION 1.")
        })
    }

    /// That of the left operand of an operator on texts.
    pub fn of_operator(operator: Oid) -> Self {
        let [document, _] = catalog::operator_types(operator);
        if document == pg_sys::TEXTARRAYOID { Self::Texts } else { Self::Text }
    }

    /// The same of an argument that SQL declares to be of this type, with positions.
    ///
    /// # Errors
    /// As [`Content::document`].
    pub fn document_of(
        self,
        value: AnyValue,
        tid: HeapTid,
        analyzer: Option<&Analyzer>,
    ) -> Result<Document, Report> {
        // SAFETY: SQL declares the argument to be of this type.
        unsafe { self.document(value.0, tid, analyzer, true) }
    }

    /// The document that a value of the column is.
    ///
    /// # Errors
    /// If the value is damaged, or has too many tokens.
    ///
    /// # Safety
    /// `value` is a non-null value of this type.
    pub unsafe fn document(
        self,
        value: Datum,
        tid: HeapTid,
        analyzer: Option<&Analyzer>,
        positions: bool,
    ) -> Result<Document, Report> {
        // SAFETY: the value is of this type.
        unsafe {
            match self {
                Self::Sparse => sparse(value, tid),
                Self::Text | Self::Texts => {
                    Terms::of(self.texts(value)?, analyzer)?.document(tid, positions)
                }
            }
        }
    }

    /// The texts of a value, of which those of an array are one document.
    ///
    /// # Errors
    /// If the value is damaged, or has no texts.
    ///
    /// # Safety
    /// `value` is a non-null value of this type.
    pub unsafe fn texts(self, value: Datum) -> Result<Vec<String>, Report> {
        // SAFETY: the value is of this type.
        unsafe {
            match self {
                Self::Sparse => Err(Report::internal("a sparse vector has no texts")),
                Self::Text => Ok(vec![text(value)?]),
                Self::Texts => texts(value),
            }
        }
    }
}

/// # Safety
/// `value` is a non-null `sparsevec`.
unsafe fn sparse(value: Datum, tid: HeapTid) -> Result<Document, Report> {
    // SAFETY: the value is a sparse vector.
    let vector = unsafe { SparseRef::from_datum(value) }?;
    check::indices(&vector)?;
    let mut postings = memory::with_room(vector.indices().len())?;
    for (dimension, weight) in vector.elements().filter(|&(_, weight)| weight != 0.0) {
        let term = inverted::dimension(dimension).to_vec();
        postings.push(Posting { term, value: weight.to_bits(), positions: Vec::new() });
    }
    Ok(Document { tid, length: 1, postings })
}

/// Why a text has no terms.
#[derive(Debug)]
pub enum Refused {
    /// There is no memory for them.
    OutOfMemory,
    /// They are too many.
    TooMany,
    /// A thread that was to make them was stopped.
    Stopped(Stopped),
}

impl From<OutOfMemory> for Refused {
    fn from(_: OutOfMemory) -> Self {
        Self::OutOfMemory
    }
}

impl From<Stopped> for Refused {
    fn from(stopped: Stopped) -> Self {
        Self::Stopped(stopped)
    }
}

impl From<Refused> for Report {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::OutOfMemory | Refused::Stopped(Stopped::OutOfMemory) => OutOfMemory.into(),
            Refused::TooMany => too_long(),
            Refused::Stopped(Stopped::Cancelled) => Self::internal("analysis was cancelled"),
            Refused::Stopped(Stopped::Panicked(message)) => Self::internal(message),
        }
    }
}

/// The tokens of a document or a query.
#[derive(Debug, Default)]
pub struct Terms {
    /// All tokens, one behind the other.
    bytes: Vec<u8>,
    /// Where each begins and ends, and its position.
    tokens: Vec<(u32, u32, u32)>,
    /// Whether they are in the order of their terms, then of their positions.
    is_sorted: bool,
}

impl Terms {
    /// Those of some texts, which are one document.
    ///
    /// # Errors
    /// That memory is used up, or there are too many tokens.
    pub fn of(
        texts: impl IntoIterator<Item = String>,
        analyzer: Option<&Analyzer>,
    ) -> Result<Self, Report> {
        let (mut terms, mut begin) = (Self::default(), 0);
        let Some(analyzer) = analyzer else { return Ok(terms) };
        for text in texts {
            let (mut next, mut result) = (begin, Ok(()));
            analyzer.tokens(&text, &mut |token| {
                terms.add(token.text, token.position, begin, &mut next, &mut result);
            })?;
            result?;
            begin = next;
        }
        Ok(terms)
    }

    /// The same by an analyzer that any thread may use, in the order that [`Terms::grouped`] wants.
    ///
    /// # Errors
    /// As [`Terms::of`].
    pub fn by_thread(texts: &[String], analyzer: &analyzer::Analyzer) -> Result<Self, Refused> {
        let (mut terms, mut begin) = (Self::default(), 0);
        for text in texts {
            let (mut next, mut result) = (begin, Ok(()));
            analyzer.tokens(text, &mut |token| {
                terms.add(token.text, token.position, begin, &mut next, &mut result);
            });
            result?;
            begin = next;
        }
        terms.sort();
        Ok(terms)
    }

    /// Adds a token of a text whose first position is `begin`; `next` is that of the text after it.
    fn add(
        &mut self,
        token: &str,
        position: u32,
        begin: u32,
        next: &mut u32,
        result: &mut Result<(), Refused>,
    ) {
        let position = begin.saturating_add(position);
        *next = (*next).max(position.saturating_add(GAP));
        if result.is_ok() {
            *result = self.push(token.as_bytes(), position);
        }
    }

    fn push(&mut self, token: &[u8], position: u32) -> Result<(), Refused> {
        let term = inverted::stored(token);
        let begin = self.bytes.len();
        let end = begin + term.len();
        let Ok(end) = u32::try_from(end) else { return Err(Refused::TooMany) };
        self.bytes.try_extend(term.iter().copied())?;
        self.tokens.try_push((begin as u32, end, position))?;
        Ok(())
    }

    /// The term of a token.
    fn term(&self, &(begin, end, _): &(u32, u32, u32)) -> &[u8] {
        &self.bytes[begin as usize..end as usize]
    }

    /// The number of tokens.
    pub fn count(&self) -> usize {
        self.tokens.len()
    }

    /// The tokens with their positions, in the order of the text.
    pub fn tokens(&self) -> impl Iterator<Item = (u32, &[u8])> {
        self.tokens.iter().map(|token| (token.2, self.term(token)))
    }

    /// What is made of each term and the positions of its tokens, in ascending order both.
    ///
    /// # Errors
    /// That memory is used up.
    pub fn grouped<T>(
        mut self,
        mut make: impl FnMut(Vec<u8>, Vec<u32>) -> T,
    ) -> Result<Vec<T>, OutOfMemory> {
        if !self.is_sorted {
            self.sort();
        }
        let tokens = std::mem::take(&mut self.tokens);
        let mut made = Vec::new();
        for group in tokens.chunk_by(|a, b| self.term(a) == self.term(b)) {
            let positions = memory::collected(group.iter().map(|token| token.2))?;
            made.try_push(make(self.term(&group[0]).to_vec(), positions))?;
        }
        Ok(made)
    }

    fn sort(&mut self) {
        let mut tokens = std::mem::take(&mut self.tokens);
        tokens.sort_unstable_by(|a, b| self.term(a).cmp(self.term(b)).then(a.2.cmp(&b.2)));
        (self.tokens, self.is_sorted) = (tokens, true);
    }

    /// The document with these terms.
    ///
    /// # Errors
    /// That memory is used up, or there are too many tokens.
    pub fn document(self, tid: HeapTid, positions: bool) -> Result<Document, Report> {
        let length = u32::try_from(self.tokens.len()).map_err(|_| too_long())?;
        let postings = self.grouped(|term, places| Posting {
            term,
            // No more than the document has tokens.
            value: places.len() as u32,
            positions: if positions { places } else { Vec::new() },
        })?;
        Ok(Document { tid, length, postings })
    }
}

fn too_long() -> Report {
    Report::new(ERRCODE_PROGRAM_LIMIT_EXCEEDED, "text has too many tokens for inverted index")
        .hint("Split the text into several rows.")
}
