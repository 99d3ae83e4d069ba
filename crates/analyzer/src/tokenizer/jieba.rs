//! `jieba`: words of Chinese texts, by a dictionary and a hidden Markov model.

use std::sync::{Arc, LazyLock};

use jieba_rs::TokenizeMode;

use super::chunks::chunks;
use crate::Token;
use crate::error::{Error, ErrorKind, Result};
use crate::specification;

/// Reading the dictionary takes tenths of a second; all analyzers without own words share it.
static DEFAULT: LazyLock<Arc<jieba_rs::Jieba>> = LazyLock::new(|| Arc::new(jieba_rs::Jieba::new()));

/// Bytes that reading the dictionary takes, with room to spare. Its many allocations must not fail.
const NEEDED: usize = 96 << 20;

pub(crate) struct Jieba {
    dictionary: Arc<jieba_rs::Jieba>,
    mode: TokenizeMode,
    hmm: bool,
}

impl Jieba {
    pub(super) fn new(options: &specification::Jieba) -> Result<Self> {
        Vec::<u8>::new()
            .try_reserve_exact(NEEDED)
            .map_err(|_| Error::new(ErrorKind::OutOfMemory, "out of memory"))?;
        let dictionary = if options.default_dictionary && options.words.is_empty() {
            Arc::clone(&DEFAULT)
        } else {
            let mut dictionary = if options.default_dictionary {
                jieba_rs::Jieba::new()
            } else {
                jieba_rs::Jieba::empty()
            };
            for word in &options.words {
                dictionary.add_word(word, None, None);
            }
            Arc::new(dictionary)
        };
        let mode = if options.search { TokenizeMode::Search } else { TokenizeMode::Default };
        Ok(Self { dictionary, mode, hmm: options.hmm })
    }

    /// Positions count characters.
    pub(super) fn split(&self, text: &str, sink: &mut dyn FnMut(Token<'_>)) {
        let mut first_byte: usize = 0;
        let mut first_character: usize = 0;
        for chunk in chunks(text) {
            for token in self.dictionary.tokenize(chunk, self.mode, self.hmm) {
                let position = first_character.saturating_add(token.start);
                let characters = token.end.saturating_sub(token.start);
                sink(Token {
                    text: token.word,
                    start: first_byte.saturating_add(token.byte_start),
                    end: first_byte.saturating_add(token.byte_end),
                    position: u32::try_from(position).unwrap_or(u32::MAX),
                    position_length: u32::try_from(characters).unwrap_or(u32::MAX),
                });
            }
            first_byte = first_byte.saturating_add(chunk.len());
            first_character = first_character.saturating_add(chunk.chars().count());
        }
    }
}
