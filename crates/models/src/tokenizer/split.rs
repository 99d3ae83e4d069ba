//! Steps that split a text into parts, of which each becomes tokens on its own.

use std::borrow::Cow;

use regex::Regex;

use super::json::{Bad, Pattern, Step};
use super::normalize::regex;
use super::text::Text;
use super::{MOST_STEPS, classes};

/// One step.
#[derive(Debug)]
pub(super) enum Splitter {
    /// At white space, which is dropped, and around punctuation.
    Bert,
    /// At white space, which is dropped.
    WhiteSpace,
    /// Around punctuation.
    Punctuation,
    /// What matches is a part.
    Words(Box<Regex>),
    /// What matches is a part, or dropped; what is between matches is a part too.
    Pattern { pattern: Box<Regex>, is_dropped: bool },
    /// White space becomes a visible character, which parts may begin with.
    Metaspace { replacement: char, prepend: Prepend, is_split: bool },
}

/// Where [`Splitter::Metaspace`] adds its character to the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prepend {
    Always,
    First,
    Never,
}

/// The steps of a file.
pub(super) fn steps(step: Option<Step>) -> Result<Vec<Splitter>, Bad> {
    let mut steps = Vec::new();
    if let Some(step) = step {
        add(step, &mut steps)?;
    }
    Ok(steps)
}

fn add(step: Step, steps: &mut Vec<Splitter>) -> Result<(), Bad> {
    if steps.len() > MOST_STEPS {
        return Err(Bad::new("too many pre-tokenizers"));
    }
    steps.push(match step.r#type.as_str() {
        "Sequence" => return step.normalizers.into_iter().try_for_each(|step| add(step, steps)),
        "BertPreTokenizer" => Splitter::Bert,
        "WhitespaceSplit" => Splitter::WhiteSpace,
        "Punctuation" if matches!(step.behavior.as_deref(), None | Some("Isolated")) => {
            Splitter::Punctuation
        }
        "Whitespace" => Splitter::Words(regex(r"\w+|[^\w\s]+")?),
        "Split" if !step.invert => {
            let pattern = match step.pattern {
                Some(Pattern::String(text)) => regex(&regex::escape(&text))?,
                Some(Pattern::Regex(pattern)) => regex(&pattern)?,
                None => return Err(Bad::new("pre-tokenizer without a pattern")),
            };
            match step.behavior.as_deref() {
                Some("Isolated") => Splitter::Pattern { pattern, is_dropped: false },
                Some("Removed") => Splitter::Pattern { pattern, is_dropped: true },
                other => return Err(Bad::unsupported("behavior", other.unwrap_or_default())),
            }
        }
        "Metaspace" => Splitter::Metaspace {
            replacement: step.replacement.unwrap_or('\u{2581}'),
            prepend: match (step.prepend_scheme.as_deref(), step.add_prefix_space) {
                (Some("first"), _) => Prepend::First,
                (Some("never"), _) | (None, Some(false)) => Prepend::Never,
                (Some("always") | None, _) => Prepend::Always,
                (Some(other), _) => return Err(Bad::unsupported("scheme", other)),
            },
            is_split: step.split,
        },
        other => return Err(Bad::unsupported("pre-tokenizer", other)),
    });
    Ok(())
}

/// What takes a part; returns whether it wants more.
type Take<'t> = &'t mut dyn FnMut(&str) -> Result<bool, Bad>;

/// Has `take` each part of `text`, which is the beginning of all if `is_first`; returns whether it
/// took all.
pub(super) fn each(
    steps: &[Splitter],
    text: &str,
    is_first: bool,
    take: Take<'_>,
) -> Result<bool, Bad> {
    if text.is_empty() {
        return Ok(true);
    }
    let Some((step, rest)) = steps.split_first() else {
        return take(text);
    };
    let start = text.as_ptr();
    step.split(text, is_first, &mut |part| {
        each(rest, part, is_first && std::ptr::eq(part.as_ptr(), start), take)
    })
}

impl Splitter {
    fn split(&self, text: &str, is_first: bool, take: Take<'_>) -> Result<bool, Bad> {
        match self {
            Self::Bert => by_characters(text, char::is_whitespace, classes::is_punctuation, take),
            Self::WhiteSpace => by_characters(text, char::is_whitespace, |_| false, take),
            Self::Punctuation => by_characters(text, |_| false, classes::is_punctuation, take),
            Self::Words(pattern) => {
                for part in pattern.find_iter(text) {
                    if !take(part.as_str())? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Self::Pattern { pattern, is_dropped } => by_pattern(text, pattern, *is_dropped, take),
            Self::Metaspace { replacement, prepend, is_split } => {
                let is_begun = text.starts_with([' ', *replacement]);
                let has_first = !is_begun
                    && (*prepend == Prepend::Always || (*prepend == Prepend::First && is_first));
                let visible: Cow<'_, str> = if has_first || text.contains(' ') {
                    let mut visible = Text::new(text.len(), usize::MAX)?;
                    visible.extend(has_first.then_some(*replacement))?;
                    visible
                        .extend(text.chars().map(|c| if c == ' ' { *replacement } else { c }))?;
                    visible.into_string().into()
                } else {
                    text.into()
                };
                if !is_split {
                    return take(&visible);
                }
                let starts = visible.match_indices(*replacement).map(|(at, _)| at);
                let mut from = 0;
                for to in starts.filter(|at| *at > 0).chain([visible.len()]) {
                    if !take(&visible[from..to])? {
                        return Ok(false);
                    }
                    from = to;
                }
                Ok(true)
            }
        }
    }
}

/// Splits at characters that are `dropped`, and around those that are `alone`.
fn by_characters(
    text: &str,
    dropped: impl Fn(char) -> bool,
    alone: impl Fn(char) -> bool,
    take: Take<'_>,
) -> Result<bool, Bad> {
    let mut start = 0;
    for (at, c) in text.char_indices() {
        let is_alone = alone(c);
        if !is_alone && !dropped(c) {
            continue;
        }
        let end = at + c.len_utf8();
        if (start < at && !take(&text[start..at])?) || (is_alone && !take(&text[at..end])?) {
            return Ok(false);
        }
        start = end;
    }
    if start < text.len() { take(&text[start..]) } else { Ok(true) }
}

fn by_pattern(text: &str, pattern: &Regex, is_dropped: bool, take: Take<'_>) -> Result<bool, Bad> {
    let mut start = 0;
    for found in pattern.find_iter(text).filter(|found| !found.is_empty()) {
        if (start < found.start() && !take(&text[start..found.start()])?)
            || (!is_dropped && !take(found.as_str())?)
        {
            return Ok(false);
        }
        start = found.end();
    }
    if start < text.len() { take(&text[start..]) } else { Ok(true) }
}
