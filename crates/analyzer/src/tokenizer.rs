//! Tokenizers: split a text into tokens.

#[cfg(any(feature = "icu", feature = "jieba"))]
mod chunks;
#[cfg(feature = "icu")]
mod icu;
#[cfg(feature = "jieba")]
mod jieba;
mod simple;

use crate::Token;
#[cfg(not(all(feature = "icu", feature = "jieba")))]
use crate::error::Error;
use crate::error::Result;
use crate::specification::TokenizerKind;

/// A tokenizer ready to use.
pub(crate) enum Tokenizer {
    Standard,
    Whitespace,
    #[cfg(feature = "jieba")]
    Jieba(jieba::Jieba),
    #[cfg(feature = "icu")]
    Icu(icu::Icu),
}

impl Tokenizer {
    #[cfg_attr(feature = "icu", allow(clippy::unnecessary_wraps))]
    pub(crate) fn new(kind: &TokenizerKind) -> Result<Self> {
        match kind {
            TokenizerKind::Standard => Ok(Self::Standard),
            TokenizerKind::Whitespace => Ok(Self::Whitespace),
            #[cfg(feature = "jieba")]
            TokenizerKind::Jieba(options) => jieba::Jieba::new(options).map(Self::Jieba),
            #[cfg(not(feature = "jieba"))]
            TokenizerKind::Jieba(_) => Err(left_out("jieba")),
            #[cfg(feature = "icu")]
            TokenizerKind::Icu => Ok(Self::Icu(icu::Icu::new())),
            #[cfg(not(feature = "icu"))]
            TokenizerKind::Icu => Err(left_out("icu")),
        }
    }

    /// Calls `sink` with the tokens of `text`.
    pub(crate) fn split(&self, text: &str, sink: &mut dyn FnMut(Token<'_>)) {
        match self {
            Self::Standard => simple::standard(text, sink),
            Self::Whitespace => simple::whitespace(text, sink),
            #[cfg(feature = "jieba")]
            Self::Jieba(jieba) => jieba.split(text, sink),
            #[cfg(feature = "icu")]
            Self::Icu(icu) => icu.split(text, sink),
        }
    }
}

#[cfg(not(all(feature = "icu", feature = "jieba")))]
fn left_out(name: &str) -> Error {
    Error::unsupported(format!("tokenizer \"{name}\" was left out of this build"))
        .hint(format!("Build with the feature \"{name}\"."))
}
