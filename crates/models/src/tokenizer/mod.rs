//! Tokenizers as `tokenizer.json` describes them, for models in files.
//!
//! A subset of Hugging Face's library `tokenizers`: what models of words and word pieces use. The
//! file is untrusted. What is not known is an error that names it, so that no model gives vectors
//! that are not its own.
//!
//! A text is cut at added tokens, normalized, and split ([`split`]); then each part becomes tokens of
//! the vocabulary ([`pieces`]).

mod added;
mod charsmap;
mod classes;
mod json;
mod normalize;
mod pieces;
mod split;
mod template;
mod text;
mod vocabulary;

use std::sync::atomic::{AtomicBool, Ordering};

use memory::{Grow, OutOfMemory};

pub(crate) use self::template::{Sequence, Template};

use added::{Added, Segment};
use normalize::Normalizer;
use pieces::Pieces;
use split::Splitter;

use self::json::Bad;
use crate::Error;
use crate::error::out_of_memory;
use crate::files::{Folder, TOKENIZER};

/// Bytes of a text at most, where not only its beginning counts.
pub(crate) const LONGEST_TEXT: usize = 1 << 20;

/// Most steps of normalizing and of splitting, with all that are nested.
const MOST_STEPS: usize = 200;

/// What turns texts into numbers of tokens.
#[derive(Debug)]
pub(crate) struct Tokenizer {
    added: Added,
    normalizers: Vec<Normalizer>,
    splitters: Vec<Splitter>,
    pieces: Pieces,
    post_processor: Option<json::PostProcessor>,
}

/// Whether to go on.
type Check<'c> = &'c dyn Fn() -> bool;

impl Tokenizer {
    /// The tokenizer of a file.
    ///
    /// # Errors
    /// What is wrong with it, or what it needs that is not known.
    pub(crate) fn new(json: &[u8]) -> Result<Self, Bad> {
        let file: json::File =
            serde_json::from_slice(json).map_err(|error| Bad::of_json(&error))?;
        let normalizers = normalize::steps(file.normalizer)?;
        let splitters = split::steps(file.pre_tokenizer)?;
        let pieces = Pieces::new(file.model)?;
        let added = Added::new(file.added_tokens, |text| normalize::apply(&normalizers, text))?;
        Ok(Self { added, normalizers, splitters, pieces, post_processor: file.post_processor })
    }

    /// The tokens that go around texts.
    ///
    /// # Errors
    /// What the file needs that is not known.
    pub(crate) fn template(&self) -> Result<Template, Bad> {
        Template::new(self.post_processor.as_ref())
    }

    /// One more than the greatest number of a token.
    pub(crate) fn len(&self) -> usize {
        self.pieces.vocabulary().len().max(self.added.len())
    }

    /// The median number of characters of its tokens, rounded down.
    ///
    /// # Errors
    /// If memory is refused.
    pub(crate) fn median_length(&self) -> Result<usize, Bad> {
        let vocabulary = self.pieces.vocabulary();
        let more = self.added.contents().filter(|token| vocabulary.get(token.as_bytes()).is_none());
        let lengths = vocabulary.lengths().chain(more.map(|token| token.chars().count()));
        let mut lengths = memory::collected(lengths).map_err(Bad::out_of_memory)?;
        lengths.sort_unstable();
        let middle = lengths.len() / 2;
        Ok(match (lengths.len().is_multiple_of(2), lengths.get(middle)) {
            (_, None) => 0,
            (true, Some(upper)) => (lengths[middle - 1] + upper) / 2,
            (false, Some(length)) => *length,
        })
    }

    /// The number of the token that stands for what is not in the vocabulary, if there is one.
    pub(crate) fn unknown(&self) -> Option<u32> {
        self.pieces.unknown()
    }

    /// Puts the numbers of the first `most` tokens of `text` into `tokens`.
    ///
    /// # Errors
    /// As [`Tokenizer::encode`], and if `stop` is set.
    pub(crate) fn tokens(
        &self,
        text: &str,
        most: usize,
        tokens: &mut Vec<u32>,
        stop: &AtomicBool,
    ) -> Result<(), Error> {
        match self.encode(text, most, tokens, &|| !stop.load(Ordering::Relaxed)) {
            Err(bad) => Err(bad.of_text()),
            Ok(false) => Err(Error::stopped()),
            Ok(true) => Ok(()),
        }
    }

    /// Puts the numbers of at most `most` tokens of `text` into `tokens`; false if `check` said so.
    ///
    /// # Errors
    /// If the vocabulary has no tokens for the text, not even for what is unknown; if normalizers make
    /// the text too long; and if memory is refused.
    fn encode(
        &self,
        text: &str,
        most: usize,
        tokens: &mut Vec<u32>,
        check: Check<'_>,
    ) -> Result<bool, Bad> {
        tokens.clear();
        let more = |count| count < most && check();
        let mut is_first = true;
        for segment in self.added.split_raw(text)? {
            let raw = match segment {
                Segment::Token(token) => {
                    tokens.try_push(token).map_err(Bad::out_of_memory)?;
                    is_first = false;
                    continue;
                }
                Segment::Text(raw) => raw,
            };
            let normal = normalize::apply(&self.normalizers, raw)?;
            for segment in self.added.split_normal(&normal)? {
                let text = match segment {
                    Segment::Token(token) => {
                        tokens.try_push(token).map_err(Bad::out_of_memory)?;
                        is_first = false;
                        continue;
                    }
                    Segment::Text(text) => text,
                };
                let done = split::each(&self.splitters, text, is_first, &mut |part| {
                    self.pieces.encode(part, tokens, &more)?;
                    Ok(more(tokens.len()))
                })?;
                is_first = false;
                if !done && !check() {
                    return Ok(false);
                }
            }
            if tokens.len() >= most {
                break;
            }
        }
        tokens.truncate(most);
        Ok(true)
    }
}

/// `text` in lower case.
///
/// # Errors
/// [`ErrorKind::Memory`]
pub(crate) fn lowercase(text: &str) -> Result<String, Error> {
    let lower = normalize::apply(&[Normalizer::Lowercase], text).map_err(Bad::of_text)?;
    Ok(lower.into_owned())
}

impl Bad {
    /// As the error of the file in a folder.
    pub(crate) fn of_file(&self, folder: &Folder<'_>) -> Error {
        match self.is_out_of_memory() {
            true => out_of_memory(OutOfMemory),
            false => folder.failure(TOKENIZER, &self.0),
        }
    }

    /// As the error of a text that has no tokens.
    fn of_text(self) -> Error {
        match self.is_out_of_memory() {
            true => out_of_memory(OutOfMemory),
            false => Error::of_text(self.0),
        }
    }

    fn is_out_of_memory(&self) -> bool {
        self.0.starts_with(crate::provider::OUT_OF_MEMORY)
    }
}
