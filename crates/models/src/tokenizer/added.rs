//! Tokens that are found in a text before anything else is done with it.

use std::borrow::Cow;

use memory::Grow;

use super::json::{AddedToken, Bad};
use super::vocabulary::{Entries, Vocabulary};

/// What a text is cut into.
pub(super) enum Segment<'t> {
    /// An added token.
    Token(u32),
    /// What is between those.
    Text(&'t str),
}

/// Added tokens.
#[derive(Debug)]
pub(super) struct Added {
    tokens: Vec<AddedToken>,
    /// Positions in `tokens` of those that are found in the text as it is, and after normalizing.
    raw: Vocabulary,
    normal: Vocabulary,
    len: usize,
}

impl std::fmt::Debug for AddedToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.content)
    }
}

impl Added {
    /// # Errors
    /// [`Bad`] if there are too many.
    pub(super) fn new(
        tokens: Vec<AddedToken>,
        normalize: impl Fn(&str) -> Result<Cow<'_, str>, Bad>,
    ) -> Result<Self, Bad> {
        let (mut raw, mut normal) = (Entries::default(), Entries::default());
        let mut len = 0;
        for (position, token) in tokens.iter().enumerate() {
            let position =
                u32::try_from(position).map_err(|_| Bad::new("too many added tokens"))?;
            len = len.max(token.id as usize + 1);
            let content = match token.normalized {
                true => normalize(&token.content)?,
                false => Cow::Borrowed(token.content.as_str()),
            };
            if !content.is_empty() {
                let entries = if token.normalized { &mut normal } else { &mut raw };
                entries.push(&content, position)?;
            }
        }
        let raw = Vocabulary::new(raw).map_err(Bad::out_of_memory)?;
        let normal = Vocabulary::new(normal).map_err(Bad::out_of_memory)?;
        Ok(Self { tokens, raw, normal, len })
    }

    /// One more than the greatest number.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The tokens' texts.
    pub(super) fn contents(&self) -> impl Iterator<Item = &str> {
        self.tokens.iter().map(|token| token.content.as_str())
    }

    /// Cuts a text as it is.
    pub(super) fn split_raw<'t>(&self, text: &'t str) -> Result<Vec<Segment<'t>>, Bad> {
        self.split(&self.raw, text)
    }

    /// Cuts a text after normalizing.
    pub(super) fn split_normal<'t>(&self, text: &'t str) -> Result<Vec<Segment<'t>>, Bad> {
        self.split(&self.normal, text)
    }

    fn split<'t>(&self, which: &Vocabulary, text: &'t str) -> Result<Vec<Segment<'t>>, Bad> {
        let mut segments = Vec::new();
        let (mut start, mut at) = (0, 0);
        while at < text.len() {
            let Some((token, mut end)) = self.longest(which, text, at) else {
                at = text.ceil_char_boundary(at + 1);
                continue;
            };
            let before = &text[start..at];
            let kept = if token.lstrip { before.trim_end() } else { before };
            if !kept.is_empty() {
                segments.try_push(Segment::Text(kept)).map_err(Bad::out_of_memory)?;
            }
            segments.try_push(Segment::Token(token.id)).map_err(Bad::out_of_memory)?;
            if token.rstrip {
                end = text.len() - text[end..].trim_start().len();
            }
            (start, at) = (end, end);
        }
        if start < text.len() {
            segments.try_push(Segment::Text(&text[start..])).map_err(Bad::out_of_memory)?;
        }
        Ok(segments)
    }

    /// The longest token that `text` has at a position, and its end.
    fn longest(&self, which: &Vocabulary, text: &str, at: usize) -> Option<(&AddedToken, usize)> {
        let mut prefix = which.all();
        let mut longest = None;
        for (position, byte) in text.bytes().enumerate().skip(at) {
            let Some(longer) = which.next(prefix, byte) else { break };
            prefix = longer;
            longest = which.exact(prefix).map(|token| (token, position + 1)).or(longest);
        }
        let (token, end) = longest?;
        let token = self.tokens.get(token as usize)?;
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let is_within = token.single_word
            && (text[..at].ends_with(is_word) || text[end..].starts_with(is_word));
        (!is_within).then_some((token, end))
    }
}
