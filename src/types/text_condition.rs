//! Conditions on the words of texts. The composite type `text_condition` of SQL.

#![allow(unsafe_code)] // reads composite datums

use pgrx::PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE;
use pgrx::pg_sys::{Datum, Oid};

use super::bm25query::text;
use crate::pg::error::Report;
use crate::pg::function::{Args, Argument};
use crate::pg::node::Node;
use crate::pg::record::attributes;

/// Most words that Milvus lets a condition ask for.
const MOST_WORDS: i32 = 1_000;
/// Most edits of a word.
const MOST_EDITS: i32 = 2;

/// The slop of what is no phrase.
pub const NO_PHRASE: i32 = i32::MIN;

/// Words that a text is to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextCondition {
    /// The index whose analyzer splits the texts.
    pub index: Oid,
    /// The words, not analyzed yet.
    pub words: String,
    /// How they are to be held.
    pub how: How,
}

/// How a text is to hold words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// At least so many different ones.
    Words(usize),
    /// One behind the other, with this displacement at most.
    Phrase(u32),
    /// At least one, with so many edits.
    Fuzzy(u8),
}

impl TextCondition {
    /// Reads a condition; none where a part is NULL.
    ///
    /// # Errors
    /// If a number is out of range, or the words are no text.
    ///
    /// # Safety
    /// `datum` is a non-null value of the type `text_condition`.
    pub unsafe fn from_datum(datum: Datum) -> Result<Option<Self>, Report> {
        // SAFETY: `datum` is composite, and so of variable length. Its attributes are a `regclass`, a
        // `text`, and three `integer`s.
        unsafe {
            let [Some(index), Some(words), Some(least), Some(slop), Some(edits)] =
                attributes(datum)
            else {
                return Ok(None);
            };
            // The lower half of the datum is the number.
            let [least, slop, edits] = [least, slop, edits].map(|datum| datum.value() as i32);
            let index = Oid::from(index.value() as u32);
            Ok(Some(Self { index, words: text(words)?, how: How::of(least, slop, edits)? }))
        }
    }
}

impl How {
    fn of(least: i32, slop: i32, edits: i32) -> Result<Self, Report> {
        let refused = |message: String, hint: &str| {
            Err(Report::new(ERRCODE_INVALID_PARAMETER_VALUE, message).hint(hint))
        };
        if !(0..=MOST_EDITS).contains(&edits) {
            let message = format!("max_edit_distance should be in [0, {MOST_EDITS}], got {edits}");
            return refused(message, "Fewer edits find fewer, but better words.");
        }
        if !(1..=MOST_WORDS).contains(&least) {
            let message =
                format!("minimum_should_match should be in [1, {MOST_WORDS}], got {least}");
            return refused(message, "It counts different words of the query.");
        }
        Ok(match u32::try_from(slop) {
            Ok(slop) => Self::Phrase(slop),
            Err(_) if slop != NO_PHRASE => {
                let message = format!("slop should not be negative, got {slop}");
                return refused(message, "0 asks for the phrase as it is.");
            }
            // Both are in their ranges.
            Err(_) if edits > 0 => Self::Fuzzy(edits as u8),
            Err(_) => Self::Words(least as usize),
        })
    }
}

/// The index that an expression of type `text_condition` names, if the planner knows it.
pub fn index(condition: Node) -> Option<Oid> {
    // SAFETY: a non-null value of the type `text_condition`.
    let condition = unsafe { TextCondition::from_datum(condition.constant()?) };
    condition.ok().flatten().map(|condition| condition.index)
}

/// NULL, or a NULL inside, is `None`.
pub struct MaybeCondition(pub Option<TextCondition>);

impl Argument<'_> for MaybeCondition {
    fn take(args: &mut Args) -> Result<Self, Report> {
        let datum = args.datum()?;
        // SAFETY: SQL declares the argument as a `text_condition`.
        unsafe { TextCondition::from_datum(datum).map(Self) }
    }
}
