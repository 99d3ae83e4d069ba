//! Steps that change a text before it is split.

use std::borrow::Cow;
use std::ops::Range;

use regex::Regex;
use unicode_normalization::UnicodeNormalization;

use super::charsmap::CharsMap;
use super::json::{Bad, Pattern, Step};
use super::text::Text;
use super::{MOST_STEPS, classes};

/// How many times as long as before a text may be.
const MOST_GROWTH: usize = 16;
/// Bytes that a step may put in the place of one.
const LONGEST_CONTENT: usize = 16;

/// One step.
#[derive(Debug)]
pub(super) enum Normalizer {
    Bert { clean: bool, chinese: bool, accents: bool, lowercase: bool },
    Form(Form),
    Lowercase,
    Accents,
    Strip { left: bool, right: bool },
    Replace { from: String, to: String },
    ReplaceRegex { from: Box<Regex>, to: String },
    Prepend(String),
    CharsMap(Box<CharsMap>),
}

/// Unicode's forms.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form {
    C,
    D,
    Kc,
    Kd,
}

/// A regular expression of a file, in linear time and bounded memory.
pub(super) fn regex(pattern: &str) -> Result<Box<Regex>, Bad> {
    let regex = regex::RegexBuilder::new(pattern).size_limit(1 << 20).build();
    regex.map(Box::new).map_err(|_| Bad::unsupported("regular expression", pattern))
}

/// The steps of a file.
pub(super) fn steps(step: Option<Step>) -> Result<Vec<Normalizer>, Bad> {
    let mut steps = Vec::new();
    if let Some(step) = step {
        add(step, &mut steps)?;
    }
    Ok(steps)
}

fn add(step: Step, steps: &mut Vec<Normalizer>) -> Result<(), Bad> {
    if steps.len() > MOST_STEPS {
        return Err(Bad::new("too many normalizers"));
    }
    steps.push(match step.r#type.as_str() {
        "Sequence" => return step.normalizers.into_iter().try_for_each(|step| add(step, steps)),
        "BertNormalizer" => Normalizer::Bert {
            clean: step.clean_text,
            chinese: step.handle_chinese_chars,
            accents: step.strip_accents.unwrap_or(step.lowercase),
            lowercase: step.lowercase,
        },
        "NFC" => Normalizer::Form(Form::C),
        "NFD" => Normalizer::Form(Form::D),
        "NFKC" => Normalizer::Form(Form::Kc),
        "NFKD" => Normalizer::Form(Form::Kd),
        "Lowercase" => Normalizer::Lowercase,
        "StripAccents" => Normalizer::Accents,
        "Strip" => Normalizer::Strip { left: step.strip_left, right: step.strip_right },
        "Replace" => match step.pattern {
            Some(Pattern::String(from)) if !from.is_empty() => {
                Normalizer::Replace { from, to: content(step.content)? }
            }
            Some(Pattern::Regex(from)) => {
                Normalizer::ReplaceRegex { from: regex(&from)?, to: content(step.content)? }
            }
            Some(Pattern::String(_)) | None => {
                return Err(Bad::new("normalizer without a pattern"));
            }
        },
        "Prepend" => Normalizer::Prepend(content(step.prepend)?),
        "Precompiled" => {
            let map = step.precompiled_charsmap.unwrap_or_default();
            Normalizer::CharsMap(Box::new(CharsMap::new(&map)?))
        }
        other => return Err(Bad::unsupported("normalizer", other)),
    });
    Ok(())
}

/// `text` after all steps.
///
/// # Errors
/// [`Bad`] if it grows as no real model has it, or memory is refused.
pub(super) fn apply<'t>(steps: &[Normalizer], text: &'t str) -> Result<Cow<'t, str>, Bad> {
    let most = text.len() * MOST_GROWTH + 4096;
    let mut normal = Cow::Borrowed(text);
    for step in steps {
        if let Some(changed) = step.apply(&normal, most)? {
            normal = Cow::Owned(changed);
        }
    }
    Ok(normal)
}

/// What is put in the place of something else.
fn content(text: String) -> Result<String, Bad> {
    match text.len() <= LONGEST_CONTENT {
        true => Ok(text),
        false => Err(Bad::new("normalizer with a long replacement")),
    }
}

impl Normalizer {
    /// The changed text of at most `most` bytes, unless nothing changes.
    fn apply(&self, text: &str, most: usize) -> Result<Option<String>, Bad> {
        let new = || Text::new(text.len(), most);
        let collected = |chars: &mut dyn Iterator<Item = char>| {
            let mut changed = new()?;
            changed.extend(chars)?;
            Ok(Some(changed.into_string()))
        };
        // Marks in a row are put in order, in memory that cannot be refused: 30 at most.
        let safe = || text.stream_safe();
        match self {
            Self::Bert { clean, chinese, accents, lowercase } => {
                bert(text, most, *clean, *chinese, *accents, *lowercase).map(Some)
            }
            Self::Form(_) if text.is_ascii() => Ok(None),
            Self::Form(Form::C) => collected(&mut safe().nfc()),
            Self::Form(Form::D) => collected(&mut safe().nfd()),
            Self::Form(Form::Kc) => collected(&mut safe().nfkc()),
            Self::Form(Form::Kd) => collected(&mut safe().nfkd()),
            Self::Lowercase => collected(&mut text.chars().flat_map(char::to_lowercase)),
            Self::Accents => collected(&mut text.chars().filter(|c| !classes::is_mark(*c))),
            Self::Strip { left, right } => {
                let text = if *left { text.trim_start() } else { text };
                let text = if *right { text.trim_end() } else { text };
                collected(&mut text.chars())
            }
            Self::Replace { from, to } if text.contains(from.as_str()) => {
                let found = text.match_indices(from.as_str());
                replaced(text, found.map(|(at, found)| at..at + found.len()), to, new()?).map(Some)
            }
            Self::Replace { .. } => Ok(None),
            Self::ReplaceRegex { from, to } => {
                let found = from.find_iter(text).map(|found| found.range());
                replaced(text, found, to, new()?).map(Some)
            }
            Self::Prepend(_) if text.is_empty() => Ok(None),
            Self::Prepend(before) => collected(&mut before.chars().chain(text.chars())),
            Self::CharsMap(map) => map.apply(text, most).map(Some),
        }
    }
}

/// `text` with `to` in place of each of the ranges that were found, which follow each other.
fn replaced(
    text: &str,
    found: impl Iterator<Item = Range<usize>>,
    to: &str,
    mut changed: Text,
) -> Result<String, Bad> {
    let mut rest = 0;
    for Range { start, end } in found {
        changed.push_str(&text[rest..start])?;
        changed.push_str(to)?;
        rest = end;
    }
    changed.push_str(&text[rest..])?;
    Ok(changed.into_string())
}

/// As BERT's first tokenizer did it.
fn bert(
    text: &str,
    most: usize,
    clean: bool,
    chinese: bool,
    accents: bool,
    lowercase: bool,
) -> Result<String, Bad> {
    let mut cleaned = Text::new(text.len(), most)?;
    for c in text.chars() {
        if clean && (c == '\0' || c == '\u{fffd}' || classes::is_control(c)) {
            continue;
        }
        let c = if clean && c.is_whitespace() { ' ' } else { c };
        if chinese && classes::is_chinese(c) {
            cleaned.extend([' ', c, ' '])?;
        } else {
            cleaned.push(c)?;
        }
    }
    let mut cleaned = cleaned.into_string();
    if cleaned.is_ascii() {
        if lowercase {
            cleaned.make_ascii_lowercase();
        }
        return Ok(cleaned);
    }
    if accents {
        let mut bare = Text::new(cleaned.len(), most)?;
        bare.extend(cleaned.stream_safe().nfd().filter(|c| !classes::is_narrow_mark(*c)))?;
        cleaned = bare.into_string();
    }
    if lowercase {
        let mut lower = Text::new(cleaned.len(), most)?;
        lower.extend(cleaned.chars().flat_map(char::to_lowercase))?;
        cleaned = lower.into_string();
    }
    Ok(cleaned)
}
