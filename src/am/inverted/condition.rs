//! `text_match`, `phrase_match`, `text_match_fuzzy`: whether a text holds words.

use analyzer::Pattern;
use inverted::{Document, Match};
use pages::HeapTid;
use pgrx::PgSqlErrorCode::{ERRCODE_PROGRAM_LIMIT_EXCEEDED, ERRCODE_UNDEFINED_OBJECT};

use super::content::{Content, Terms};
use super::named::{Moment, NamedIndex};
use crate::fulltext::Analyzer;
use crate::pg::error::Report;
use crate::pg::function::{AnyValue, Cached, Ignored, pg_functions};
use crate::types::text_condition::{How, MaybeCondition, TextCondition};

/// Words that a fuzzy condition may have: each is compared with every term of a document.
const MOST_FUZZY: usize = 100;

/// A condition on analyzed texts.
pub enum Condition {
    /// On the terms, which an index can serve.
    Terms(Match),
    /// That one of the terms is spelled like one of these.
    Alike(Vec<Pattern>),
}

impl Condition {
    /// Analyzes the words of a condition.
    ///
    /// # Errors
    /// That memory is used up.
    pub fn of(condition: &TextCondition, analyzer: Option<&Analyzer>) -> Result<Self, Report> {
        let terms = Terms::of([condition.words.clone()], analyzer)?;
        let tokens = terms.tokens();
        Ok(match condition.how {
            How::Words(least) => Self::Terms(Match::tokens(tokens.map(|(_, term)| term), least)),
            How::Phrase(slop) => Self::Terms(Match::phrase(tokens, slop)),
            How::Fuzzy(edits) => {
                if terms.count() > MOST_FUZZY {
                    let message = format!("text_match_fuzzy takes at most {MOST_FUZZY} words");
                    return Err(Report::new(ERRCODE_PROGRAM_LIMIT_EXCEEDED, message)
                        .hint("Give fewer words."));
                }
                let pattern = |(_, term): (u32, &[u8])| {
                    Pattern::new(&String::from_utf8_lossy(term), edits.into())
                };
                Self::Alike(tokens.map(pattern).collect())
            }
        })
    }

    /// Whether a document fulfills it.
    pub fn holds(&mut self, document: &Document) -> bool {
        match self {
            Self::Terms(condition) => condition.holds_in(document),
            Self::Alike(patterns) => document.postings.iter().any(|posting| {
                pgrx::check_for_interrupts!();
                let term = String::from_utf8_lossy(&posting.term);
                patterns.iter_mut().any(|pattern| pattern.distance(&term).is_some())
            }),
        }
    }
}

pg_functions! {
    /// Whether a text fulfills a condition.
    fn text_satisfies(
        document: AnyValue,
        condition: MaybeCondition,
        known: Cached<'_, Known>,
    ) -> Result<Option<bool>, Report> {
        satisfies(Content::Text, document, condition, known.0)
    }

    /// Whether several texts that are one document do.
    fn texts_satisfy(
        document: AnyValue,
        condition: MaybeCondition,
        known: Cached<'_, Known>,
    ) -> Result<Option<bool>, Report> {
        satisfies(Content::Texts, document, condition, known.0)
    }

    /// No index is known, as the planner has not found one.
    fn text_condition_unresolved(
        _document: Ignored,
        _words: Ignored,
        _number: Ignored,
    ) -> Result<bool, Report> {
        let message = "the analyzer of the text is not known";
        Err(Report::new(ERRCODE_UNDEFINED_OBJECT, message)
            .hint("Search a column that has an index: CREATE INDEX ON table USING inverted (column)."))
    }
}

/// What is kept between the calls of one place in a statement.
#[derive(Default)]
pub struct Known(Option<(TextCondition, Moment, Option<Analyzer>, Condition)>);

fn satisfies(
    content: Content,
    document: AnyValue,
    condition: MaybeCondition,
    Known(known): &mut Known,
) -> Result<Option<bool>, Report> {
    let Some(asked) = condition.0 else { return Ok(None) };
    let (_, _, analyzer, condition) = match known {
        Some(known) if known.0 == asked && known.1 == Moment::now() => known,
        known => {
            let analyzer = NamedIndex::open(asked.index, content)?.analyzer()?;
            let condition = Condition::of(&asked, analyzer.as_ref())?;
            known.insert((asked, Moment::now(), analyzer, condition))
        }
    };
    let tid = HeapTid { block: 0, offset: 1 };
    let document = content.document_of(document, tid, analyzer.as_ref())?;
    Ok(Some(condition.holds(&document)))
}
