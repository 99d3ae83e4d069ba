//! Token filters: change, drop, or split tokens one by one.

mod ascii_folding;
mod characters;
mod decompounder;
pub(crate) mod stop_words;

use frostem::Stemmer;
use regex::{Regex, RegexBuilder};

use crate::Token;
use crate::error::{Error, Result};
use crate::limits::{MAX_CHANGED, MAX_REGEX, MAX_WORD};
use crate::specification::FilterKind;
use decompounder::Decompounder;
use stop_words::StopWords;

/// A filter ready to use.
pub(crate) enum Filter {
    /// Keeps the tokens for which the function returns true.
    Keep(fn(&str) -> bool),
    /// Writes a changed token, or returns false if the token stays as it is.
    Change(fn(&str, &mut String) -> bool),
    /// Longest token in bytes.
    Length(usize),
    Stop(StopWords),
    Stemmer(Stemmer),
    Decompounder(Decompounder),
    Regex(Regex),
}

/// Buffers for changed tokens, reused from token to token.
#[derive(Default)]
pub(crate) struct Buffers(Vec<String>);

impl Filter {
    pub(crate) fn new(kind: &FilterKind) -> Result<Self> {
        Ok(match kind {
            FilterKind::Lowercase => Self::Change(characters::lowercase),
            FilterKind::AsciiFolding => Self::Change(ascii_folding::fold),
            FilterKind::AlphaNumOnly => Self::Keep(characters::is_ascii_alphanumeric),
            FilterKind::CnAlphaNumOnly => Self::Keep(characters::has_han_or_ascii_alphanumeric),
            FilterKind::CnCharOnly => Self::Keep(characters::has_han),
            FilterKind::RemovePunct => Self::Keep(characters::has_no_punctuation),
            FilterKind::DecimalDigit => Self::Change(characters::decimal_digits),
            FilterKind::ArabicNormalization => Self::Change(characters::normalize_arabic),
            FilterKind::Length(max) => Self::Length(usize::try_from(*max).unwrap_or(usize::MAX)),
            FilterKind::Stop(words) => Self::Stop(StopWords::new(words)),
            FilterKind::Stemmer(language) => Self::Stemmer(Stemmer::new(language.algorithm())),
            FilterKind::Decompounder(words) => Self::Decompounder(Decompounder::new(words)),
            FilterKind::Regex(expression) => Self::Regex(regex(expression)?),
        })
    }
}

fn regex(expression: &str) -> Result<Regex> {
    RegexBuilder::new(expression).size_limit(MAX_REGEX).build().map_err(|error| {
        let reason = error.to_string();
        // The error draws the expression over several lines; its last line says what is wrong.
        let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ");
        Error::invalid(format!("invalid regular expression of filter \"regex\": {reason}")).hint(
            "The syntax is that of Rust's crate regex: without look-around and backreferences.",
        )
    })
}

fn is_word(token: &Token<'_>) -> bool {
    token.text.len() <= MAX_WORD
}

/// Passes `token` through `filters`, and what is left of it to `sink`.
pub(crate) fn pass(
    filters: &[Filter],
    token: Token<'_>,
    buffers: &mut Buffers,
    sink: &mut dyn FnMut(Token<'_>),
) {
    for (index, filter) in filters.iter().enumerate() {
        let rest = filters.get(index.saturating_add(1)..).unwrap_or_default();
        let keep = match filter {
            Filter::Keep(keep) => keep(token.text),
            Filter::Length(max) => token.text.len() <= *max,
            Filter::Stop(words) => !words.contains(token.text),
            Filter::Regex(regex) => is_word(&token) && regex.is_match(token.text),
            Filter::Change(_) if token.text.len() > MAX_CHANGED => true,
            Filter::Change(change) => {
                let mut buffer = buffers.0.pop().unwrap_or_default();
                buffer.clear();
                let changed = change(token.text, &mut buffer);
                if changed && !buffer.is_empty() {
                    pass(rest, Token { text: &buffer, ..token }, buffers, sink);
                }
                buffers.0.push(buffer);
                !changed
            }
            Filter::Stemmer(stemmer) => {
                if is_word(&token) {
                    let stem = stemmer.stem(token.text);
                    if !stem.is_empty() {
                        pass(rest, Token { text: &stem, ..token }, buffers, sink);
                    }
                    return;
                }
                true
            }
            Filter::Decompounder(decompounder) => {
                if is_word(&token) && decompounder.splits(token.text) {
                    for part in decompounder.parts(token.text) {
                        pass(rest, Token { text: part, ..token }, buffers, sink);
                    }
                    return;
                }
                true
            }
        };
        if !keep {
            return;
        }
    }
    sink(token);
}
