//! Steps that change a text before it is split.

use std::borrow::Cow;

use regex::Regex;
use unicode_normalization::UnicodeNormalization;

use super::charsmap::CharsMap;
use super::json::{Bad, Pattern, Step};
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
/// [`Bad`] if it grows as no real model has it.
pub(super) fn apply<'t>(steps: &[Normalizer], text: &'t str) -> Result<Cow<'t, str>, Bad> {
    let most = text.len() * MOST_GROWTH + 4096;
    let mut normal = Cow::Borrowed(text);
    for step in steps {
        if let Some(changed) = step.apply(&normal, most) {
            normal = Cow::Owned(changed);
        }
        if normal.len() > most {
            return Err(Bad::new("normalizers make texts too long"));
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
    /// The changed text, unless nothing changes. It may end early once it is longer than `most`.
    fn apply(&self, text: &str, most: usize) -> Option<String> {
        match self {
            Self::Bert { clean, chinese, accents, lowercase } => {
                Some(bert(text, *clean, *chinese, *accents, *lowercase))
            }
            Self::Form(_) if text.is_ascii() => None,
            Self::Form(Form::C) => Some(text.nfc().collect()),
            Self::Form(Form::D) => Some(text.nfd().collect()),
            Self::Form(Form::Kc) => Some(text.nfkc().collect()),
            Self::Form(Form::Kd) => Some(text.nfkd().collect()),
            Self::Lowercase => Some(text.chars().flat_map(char::to_lowercase).collect()),
            Self::Accents => Some(text.chars().filter(|c| !classes::is_mark(*c)).collect()),
            Self::Strip { left, right } => {
                let text = if *left { text.trim_start() } else { text };
                Some(if *right { text.trim_end() } else { text }.into())
            }
            Self::Replace { from, to } => {
                text.contains(from.as_str()).then(|| text.replace(from.as_str(), to))
            }
            Self::ReplaceRegex { from, to } => {
                Some(from.replace_all(text, regex::NoExpand(to)).into_owned())
            }
            Self::Prepend(_) if text.is_empty() => None,
            Self::Prepend(before) => Some(format!("{before}{text}")),
            Self::CharsMap(map) => Some(map.apply(text, most)),
        }
    }
}

/// As BERT's first tokenizer did it.
fn bert(text: &str, clean: bool, chinese: bool, accents: bool, lowercase: bool) -> String {
    let mut cleaned = String::with_capacity(text.len());
    for c in text.chars() {
        if clean && (c == '\0' || c == '\u{fffd}' || classes::is_control(c)) {
            continue;
        }
        let c = if clean && c.is_whitespace() { ' ' } else { c };
        if chinese && classes::is_chinese(c) {
            cleaned.extend([' ', c, ' ']);
        } else {
            cleaned.push(c);
        }
    }
    if cleaned.is_ascii() {
        if lowercase {
            cleaned.make_ascii_lowercase();
        }
        return cleaned;
    }
    if accents {
        cleaned = cleaned.nfd().filter(|c| !classes::is_narrow_mark(*c)).collect();
    }
    if lowercase { cleaned.chars().flat_map(char::to_lowercase).collect() } else { cleaned }
}
