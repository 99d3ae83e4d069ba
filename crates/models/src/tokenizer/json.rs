//! The form of `tokenizer.json`.

use std::collections::HashMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use super::vocabulary::Entries;

/// Why a file cannot be used: lower case, no full stop.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Bad(pub(crate) String);

impl Bad {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    pub(super) fn out_of_memory(_: memory::OutOfMemory) -> Self {
        Self(crate::provider::OUT_OF_MEMORY.into())
    }

    pub(super) fn of_json(error: &serde_json::Error) -> Self {
        Self(crate::error::bounded(&error.to_string(), 200))
    }

    /// Something of the file that is not known here.
    pub(super) fn unsupported(kind: &str, name: &str) -> Self {
        Self(format!("{kind} \"{}\" is not supported", crate::error::bounded(name, 60)))
    }
}

impl fmt::Display for Bad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Deserialize)]
pub(super) struct File {
    #[serde(default)]
    pub(super) added_tokens: Vec<AddedToken>,
    #[serde(default)]
    pub(super) normalizer: Option<Step>,
    #[serde(default)]
    pub(super) pre_tokenizer: Option<Step>,
    #[serde(default)]
    pub(super) post_processor: Option<PostProcessor>,
    pub(super) model: Model,
}

#[derive(Deserialize)]
pub(super) struct AddedToken {
    pub(super) id: u32,
    pub(super) content: String,
    #[serde(default)]
    pub(super) single_word: bool,
    #[serde(default)]
    pub(super) lstrip: bool,
    #[serde(default)]
    pub(super) rstrip: bool,
    #[serde(default)]
    pub(super) normalized: bool,
}

/// A step of normalizing or splitting, with the fields of all of them.
#[derive(Deserialize)]
pub(super) struct Step {
    pub(super) r#type: String,
    #[serde(default, alias = "pretokenizers")]
    pub(super) normalizers: Vec<Step>,
    #[serde(default = "yes")]
    pub(super) clean_text: bool,
    #[serde(default = "yes")]
    pub(super) handle_chinese_chars: bool,
    #[serde(default)]
    pub(super) strip_accents: Option<bool>,
    #[serde(default = "yes")]
    pub(super) lowercase: bool,
    #[serde(default = "yes")]
    pub(super) strip_left: bool,
    #[serde(default = "yes")]
    pub(super) strip_right: bool,
    #[serde(default)]
    pub(super) pattern: Option<Pattern>,
    #[serde(default)]
    pub(super) content: String,
    #[serde(default)]
    pub(super) prepend: String,
    #[serde(default)]
    pub(super) precompiled_charsmap: Option<String>,
    #[serde(default)]
    pub(super) replacement: Option<char>,
    #[serde(default)]
    pub(super) prepend_scheme: Option<String>,
    #[serde(default)]
    pub(super) add_prefix_space: Option<bool>,
    #[serde(default = "yes")]
    pub(super) split: bool,
    #[serde(default)]
    pub(super) behavior: Option<String>,
    #[serde(default)]
    pub(super) invert: bool,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
pub(super) enum Pattern {
    String(String),
    Regex(String),
}

/// What adds tokens around texts, with the fields of all kinds.
#[derive(Debug, Deserialize)]
pub(super) struct PostProcessor {
    pub(super) r#type: String,
    #[serde(default)]
    pub(super) single: Vec<Piece>,
    #[serde(default)]
    pub(super) pair: Vec<Piece>,
    #[serde(default)]
    pub(super) special_tokens: HashMap<String, Special>,
    #[serde(default)]
    pub(super) cls: Option<(String, u32)>,
    #[serde(default)]
    pub(super) sep: Option<(String, u32)>,
}

/// A text, `A` or `B`, or a special token.
#[derive(Debug, Deserialize)]
pub(super) enum Piece {
    Sequence { id: String, type_id: u32 },
    SpecialToken { id: String, type_id: u32 },
}

/// What a special token of a template stands for.
#[derive(Debug, Deserialize)]
pub(super) struct Special {
    pub(super) ids: Vec<u32>,
}

/// A model, with the fields of all kinds.
#[derive(Deserialize)]
pub(super) struct Model {
    #[serde(default)]
    pub(super) r#type: Option<String>,
    pub(super) vocab: Vocab,
    #[serde(default)]
    pub(super) unk_token: Option<String>,
    #[serde(default)]
    pub(super) unk_id: Option<u32>,
    #[serde(default)]
    pub(super) continuing_subword_prefix: Option<String>,
    #[serde(default)]
    pub(super) max_input_chars_per_word: Option<usize>,
    #[serde(default)]
    pub(super) byte_fallback: Option<bool>,
}

/// `{"token": number, …}`, or `[["token", score], …]`.
pub(super) struct Vocab {
    pub(super) entries: Entries,
    /// In the order of the numbers; only of the second form.
    pub(super) scores: Option<Vec<f64>>,
}

impl<'de> Deserialize<'de> for Vocab {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Tokens;

        impl<'de> Visitor<'de> for Tokens {
            type Value = Vocab;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a vocabulary")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vocab, A::Error> {
                let mut entries = Entries::default();
                while let Some((token, id)) = map.next_entry::<String, u32>()? {
                    entries.push(&token, id).map_err(A::Error::custom)?;
                }
                Ok(Vocab { entries, scores: None })
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vocab, A::Error> {
                let mut entries = Entries::default();
                let mut scores = Vec::new();
                while let Some((token, score)) = seq.next_element::<(String, f64)>()? {
                    let id = u32::try_from(scores.len()).map_err(A::Error::custom)?;
                    entries.push(&token, id).map_err(A::Error::custom)?;
                    memory::Grow::try_push(&mut scores, score).map_err(A::Error::custom)?;
                }
                Ok(Vocab { entries, scores: Some(scores) })
            }
        }

        deserializer.deserialize_any(Tokens)
    }
}
