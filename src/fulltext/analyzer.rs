//! An analyzer by its name or definition.

use std::cell::RefCell;
use std::rc::Rc;

use ::analyzer::{self as milvus, ErrorKind};
use pgrx::PgSqlErrorCode::{
    ERRCODE_FEATURE_NOT_SUPPORTED, ERRCODE_INVALID_PARAMETER_VALUE,
    ERRCODE_INVALID_TEXT_REPRESENTATION, ERRCODE_OUT_OF_MEMORY, ERRCODE_PROGRAM_LIMIT_EXCEEDED,
};

use pgrx::pg_sys::Oid;

use crate::pg::error::Report;
use crate::pg::text_search::Configuration;

/// Names of Milvus's analyzers and tokenizers, and their definitions. A text-search configuration
/// of the same name is reached by its schema. `english` is PostgreSQL's, as is every other name.
const NAMES: [(&str, &str); 5] = [
    ("standard", r#"{"type": "standard"}"#),
    ("chinese", r#"{"type": "chinese"}"#),
    ("whitespace", r#"{"tokenizer": "whitespace"}"#),
    ("jieba", r#"{"tokenizer": "jieba"}"#),
    ("icu", r#"{"tokenizer": "icu"}"#),
];

/// Analyzers of Milvus that a backend keeps. One with an own dictionary for Chinese takes 45 MB.
const KEPT: usize = 8;

thread_local! {
    /// The analyzers used last, by what they were asked for; the latest is the last.
    static MILVUS: RefCell<Vec<(String, Rc<milvus::Analyzer>)>> = const { RefCell::new(Vec::new()) };
}

/// A way to make tokens of a text.
#[derive(Clone, Debug)]
pub enum Analyzer {
    /// One of Milvus's.
    Milvus(Rc<milvus::Analyzer>),
    /// A text-search configuration.
    Configuration(Configuration),
}

/// A token.
#[derive(Clone, Copy, Debug)]
pub struct Token<'a> {
    /// Never empty.
    pub text: &'a str,
    /// Position for phrases, from 0. Several tokens may share one.
    pub position: u32,
    /// Number of positions that the token spans, at least 1.
    pub position_length: u32,
    /// Start and end in the text, in bytes of UTF-8; unknown for a text-search configuration.
    pub place: Option<(usize, usize)>,
}

impl Analyzer {
    /// The analyzer of a name or a definition: a text that begins with `{` is the JSON of Milvus,
    /// another one is `standard`, `chinese`, `whitespace`, `jieba`, or `icu`, or the name of a
    /// text-search configuration.
    ///
    /// # Errors
    /// If there is no such analyzer.
    pub fn new(text: &str) -> Result<Analyzer, Report> {
        let text = text.trim();
        let named = NAMES.iter().find(|(name, _)| text.eq_ignore_ascii_case(name));
        match named {
            Some((_, json)) => milvus(json),
            None if text.is_empty() || text.starts_with('{') => milvus(text),
            None => configuration(text),
        }
    }

    /// The same for an index, which is built under any search path: a text-search configuration that is
    /// not PostgreSQL's own must have a schema.
    ///
    /// # Errors
    /// As [`Analyzer::new`], and if a schema is missing.
    pub fn of_index(text: &str) -> Result<Analyzer, Report> {
        let analyzer = Self::new(text)?;
        let definition = analyzer.definition()?;
        let is_own = definition.starts_with("\"pg_catalog\".");
        if analyzer.configuration().is_some() && !is_own && !text.contains('.') {
            let message =
                format!("analyzer {} of an index needs the name of its schema", text.trim());
            return Err(Report::new(ERRCODE_INVALID_PARAMETER_VALUE, message)
                .hint(format!("Write analyzer = '{definition}'.")));
        }
        Ok(analyzer)
    }

    /// The text-search configuration that it is, if it is one.
    pub fn configuration(&self) -> Option<Oid> {
        match self {
            Analyzer::Milvus(_) => None,
            Analyzer::Configuration(configuration) => Some(configuration.oid()),
        }
    }

    /// A text that gives the same analyzer to [`Analyzer::new`], whatever the search path, and is
    /// the same for the same analyzer.
    ///
    /// # Errors
    /// If a name is no text.
    pub fn definition(&self) -> Result<String, Report> {
        match self {
            Analyzer::Milvus(analyzer) => Ok(analyzer.definition().to_owned()),
            Analyzer::Configuration(configuration) => configuration.qualified_name(),
        }
    }

    /// A number that changes when the analyzer makes other tokens than before: with another version
    /// of Milvus's analyzers, or with other dictionaries, or other options of these, in a
    /// text-search configuration. What dictionaries read from files does not count.
    ///
    /// # Errors
    /// If a name is no text.
    pub fn version(&self) -> Result<u32, Report> {
        match self {
            Analyzer::Milvus(_) => Ok(milvus::VERSION),
            Analyzer::Configuration(configuration) => configuration.fingerprint(),
        }
    }

    /// Calls `sink` with the tokens of `text`. Looks for a cancellation now and then.
    ///
    /// # Errors
    /// If a token cannot be converted to UTF-8.
    pub fn tokens(&self, text: &str, sink: &mut dyn FnMut(Token<'_>)) -> Result<(), Report> {
        match self {
            Analyzer::Milvus(analyzer) => {
                let mut pause = || {
                    pgrx::check_for_interrupts!();
                };
                analyzer.tokens_with_pauses(text, &mut pause, &mut |token| {
                    sink(Token {
                        text: token.text,
                        position: token.position,
                        position_length: token.position_length,
                        place: Some((token.start, token.end)),
                    });
                });
                Ok(())
            }
            Analyzer::Configuration(configuration) => {
                configuration.lexemes(text, &mut |text, position| {
                    sink(Token { text, position, position_length: 1, place: None });
                })
            }
        }
    }

    /// Calls `sink` with tokens and their places in `text`, start and end in bytes. Tokens that a
    /// thesaurus makes of several words are not among them.
    ///
    /// # Errors
    /// If a token cannot be converted to UTF-8.
    pub fn places(
        &self,
        text: &str,
        sink: &mut dyn FnMut(&str, usize, usize),
    ) -> Result<(), Report> {
        match self {
            Analyzer::Milvus(_) => self.tokens(text, &mut |token| {
                if let Some((start, end)) = token.place {
                    sink(token.text, start, end);
                }
            }),
            Analyzer::Configuration(configuration) => configuration.words(text, sink),
        }
    }
}

fn configuration(name: &str) -> Result<Analyzer, Report> {
    Configuration::named(name).map(Analyzer::Configuration).map_err(|report| {
        report.hint(
            "An analyzer is one of Milvus's (standard, chinese, whitespace, jieba, icu, or JSON), or \
             a text search configuration; \\dF in psql lists these.",
        )
    })
}

fn milvus(json: &str) -> Result<Analyzer, Report> {
    MILVUS.with_borrow_mut(|kept| {
        match kept.iter().position(|(asked, _)| asked == json) {
            Some(found) => kept[found..].rotate_left(1),
            None => {
                let analyzer = Rc::new(milvus::Analyzer::from_json(json)?);
                if kept.len() >= KEPT {
                    kept.remove(0);
                }
                kept.push((json.to_owned(), analyzer));
            }
        }
        let (_, latest) = kept.last().ok_or_else(|| Report::internal("no analyzer is kept"))?;
        Ok(Analyzer::Milvus(Rc::clone(latest)))
    })
}

impl From<milvus::Error> for Report {
    fn from(error: milvus::Error) -> Report {
        let code = match error.kind {
            ErrorKind::Syntax => ERRCODE_INVALID_TEXT_REPRESENTATION,
            ErrorKind::Invalid => ERRCODE_INVALID_PARAMETER_VALUE,
            ErrorKind::Unsupported => ERRCODE_FEATURE_NOT_SUPPORTED,
            ErrorKind::Limit => ERRCODE_PROGRAM_LIMIT_EXCEEDED,
            ErrorKind::OutOfMemory => ERRCODE_OUT_OF_MEMORY,
        };
        let report = Report::new(code, error.message);
        match error.hint {
            Some(hint) => report.hint(hint),
            None => report,
        }
    }
}
