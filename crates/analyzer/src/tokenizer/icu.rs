//! `icu`: word boundaries of Unicode (UAX 29), with dictionaries and models for scripts that write
//! no spaces. Spaces and punctuation are tokens, too.

use icu_segmenter::options::WordBreakInvariantOptions;
use icu_segmenter::{WordSegmenter, WordSegmenterBorrowed};

use super::chunks::chunks;
use crate::Token;

pub(crate) struct Icu {
    segmenter: WordSegmenterBorrowed<'static>,
}

impl Icu {
    pub(super) fn new() -> Self {
        Self { segmenter: WordSegmenter::new_auto(WordBreakInvariantOptions::default()) }
    }

    /// Positions count characters.
    pub(super) fn split(&self, text: &str, sink: &mut dyn FnMut(Token<'_>)) {
        let mut first_byte: usize = 0;
        let mut position: u32 = 0;
        for chunk in chunks(text) {
            let mut start = 0;
            for end in self.segmenter.segment_str(chunk) {
                let Some(word) = chunk.get(start..end).filter(|word| !word.is_empty()) else {
                    continue;
                };
                let characters = u32::try_from(word.chars().count()).unwrap_or(u32::MAX);
                sink(Token {
                    text: word,
                    start: first_byte.saturating_add(start),
                    end: first_byte.saturating_add(end),
                    position,
                    position_length: characters,
                });
                position = position.saturating_add(characters);
                start = end;
            }
            first_byte = first_byte.saturating_add(chunk.len());
        }
    }
}
