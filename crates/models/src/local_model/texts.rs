//! From texts to what the encoder gets: tokens, cut to what the model takes.

use std::borrow::Cow;
use std::sync::atomic::AtomicBool;

use crate::error::out_of_memory;
use crate::tokenizer::{Sequence, Template, Tokenizer, lowercase};
use crate::{Error, ErrorKind};

/// Bytes of a text that are looked at: its first tokens are in them.
const LONGEST_TEXT: usize = 1 << 18;

/// A tokenizer, and how much of a text counts.
#[derive(Debug)]
pub(super) struct Texts {
    tokenizer: Tokenizer,
    template: Template,
    /// Tokens of a text or pair at most, with those around them.
    longest: usize,
    is_lowercase: bool,
}

impl Texts {
    /// `longest` is no less than what the template adds, of either form.
    pub(super) fn new(
        tokenizer: Tokenizer,
        template: Template,
        longest: usize,
        is_lowercase: bool,
    ) -> Self {
        Self { tokenizer, template, longest, is_lowercase }
    }

    /// The first tokens of a text.
    fn tokens(&self, text: &str, most: usize, stop: &AtomicBool) -> Result<Vec<u32>, Error> {
        let text = stripped(&text[..text.floor_char_boundary(LONGEST_TEXT)]);
        let text = if self.is_lowercase { Cow::Owned(lowercase(text)?) } else { text.into() };
        let mut tokens = Vec::new();
        if most > 0 {
            self.tokenizer.tokens(&text, most, &mut tokens, stop)?;
        }
        Ok(tokens)
    }

    /// A text as the encoder gets it.
    ///
    /// # Errors
    /// If it has no tokens, `stop` is set, or memory is refused.
    pub(super) fn single(&self, text: &str, stop: &AtomicBool) -> Result<Sequence, Error> {
        let tokens = self.tokens(text, self.longest - self.template.added(), stop)?;
        some(self.template.single(&tokens))
    }

    /// The tokens of a query, of which some may be left out with a document.
    ///
    /// # Errors
    /// As [`Texts::single`], and if the model does not take pairs.
    pub(super) fn query(&self, text: &str, stop: &AtomicBool) -> Result<Vec<u32>, Error> {
        self.tokens(text, self.room()?.saturating_add(1), stop)
    }

    /// How many tokens of a pair count.
    fn room(&self) -> Result<usize, Error> {
        let added = self.template.added_to_pair();
        let room = added.and_then(|added| self.longest.checked_sub(added));
        room.ok_or_else(|| {
            Error::new(ErrorKind::File, "its tokenizer does not take pairs of texts")
        })
    }

    /// A query and a document as the encoder gets them. The longer one is cut to what is left, and
    /// both to half of it if it is not enough for the shorter one.
    ///
    /// # Errors
    /// As [`Texts::single`].
    pub(super) fn pair(
        &self,
        query: &[u32],
        document: &str,
        stop: &AtomicBool,
    ) -> Result<Sequence, Error> {
        let room = self.room()?;
        // One more than counts shows which is longer.
        let document = self.tokens(document, room.saturating_add(1), stop)?;
        let (mut shorter, mut longer) = (query.len(), document.len());
        let is_swapped = shorter > longer;
        if is_swapped {
            (shorter, longer) = (longer, shorter);
        }
        if shorter + longer > room {
            longer = room.saturating_sub(shorter).max(shorter);
            if shorter + longer > room {
                (shorter, longer) = (room / 2, room - room / 2);
            }
        }
        let (first, second) = if is_swapped { (longer, shorter) } else { (shorter, longer) };
        some(self.template.pair(&query[..first], &document[..second]))
    }
}

/// Without white space around it, as Python has that.
fn stripped(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\x1c'..='\x1f'))
}

fn some(sequence: memory::Result<Sequence>) -> Result<Sequence, Error> {
    let sequence = sequence.map_err(out_of_memory)?;
    match sequence.tokens.is_empty() {
        false => Ok(sequence),
        true => Err(Error::of_text("text has no tokens")),
    }
}
