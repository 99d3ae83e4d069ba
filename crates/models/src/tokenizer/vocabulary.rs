//! The tokens of a vocabulary, found by their bytes.

use memory::{Grow, OutOfMemory};

use super::json::Bad;

/// Bytes of a token at most: the work for a text grows with it.
const LONGEST_TOKEN: usize = 512;

/// Tokens and their numbers, as they are read.
#[derive(Debug, Default)]
pub(super) struct Entries {
    bytes: Vec<u8>,
    /// Where the token ends in `bytes`, and its number.
    ends: Vec<(usize, u32)>,
}

impl Entries {
    /// # Errors
    /// [`Bad`] if it is too long, or there is no memory.
    pub(super) fn push(&mut self, token: &str, id: u32) -> Result<(), Bad> {
        if token.len() > LONGEST_TOKEN {
            return Err(Bad::new("token of more than 512 bytes"));
        }
        self.bytes.try_reserve(token.len()).map_err(|_| Bad::out_of_memory(OutOfMemory))?;
        self.bytes.extend_from_slice(token.as_bytes());
        self.ends.try_push((self.bytes.len(), id)).map_err(Bad::out_of_memory)
    }
}

/// A token: where it is, and its number.
#[derive(Clone, Copy, Debug)]
struct Token {
    start: usize,
    len: usize,
    id: u32,
}

/// Tokens in the order of their bytes.
#[derive(Debug)]
pub(super) struct Vocabulary {
    bytes: Vec<u8>,
    tokens: Vec<Token>,
    /// For every first byte, where its tokens begin; and the number of all.
    first: [usize; 257],
    len: usize,
}

/// All tokens that begin with the bytes so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Prefix {
    start: usize,
    end: usize,
    depth: usize,
}

impl Vocabulary {
    pub(super) fn new(entries: Entries) -> Result<Self, OutOfMemory> {
        let mut tokens = memory::with_room(entries.ends.len())?;
        let mut start = 0;
        let mut len = 0;
        for (end, id) in entries.ends {
            tokens.try_push(Token { start, len: end - start, id })?;
            start = end;
            len = len.max(id as usize + 1);
        }
        let bytes = entries.bytes;
        let text = |token: &Token| &bytes[token.start..token.start + token.len];
        // Of tokens that are there twice, the last counts.
        tokens.sort_unstable_by(|a, b| text(a).cmp(text(b)).then(b.start.cmp(&a.start)));
        tokens.dedup_by(|later, kept| text(later) == text(kept));
        let mut first = [0; 257];
        for (byte, start) in first.iter_mut().enumerate() {
            *start = tokens.partition_point(|token| {
                text(token).first().is_none_or(|f| usize::from(*f) < byte)
            });
        }
        Ok(Self { bytes, tokens, first, len })
    }

    /// One more than the greatest number.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    fn text(&self, token: &Token) -> &[u8] {
        &self.bytes[token.start..token.start + token.len]
    }

    /// The number of characters of each token.
    pub(super) fn lengths(&self) -> impl Iterator<Item = usize> {
        let is_start = |byte: &&u8| !matches!(byte, 0x80..=0xbf);
        self.tokens.iter().map(move |token| self.text(token).iter().filter(is_start).count())
    }

    /// All tokens.
    pub(super) fn all(&self) -> Prefix {
        Prefix { start: 0, end: self.tokens.len(), depth: 0 }
    }

    /// Those of `prefix` that have `byte` next, if there are any.
    pub(super) fn next(&self, prefix: Prefix, byte: u8) -> Option<Prefix> {
        let Prefix { start, end, depth } = prefix;
        let (start, end) = if depth == 0 {
            (self.first[usize::from(byte)], self.first[usize::from(byte) + 1])
        } else {
            let tokens = &self.tokens[start..end];
            let next = |token: &Token| self.text(token).get(depth).copied();
            let from = tokens.partition_point(|token| next(token) < Some(byte));
            let many = tokens[from..].partition_point(|token| next(token) == Some(byte));
            (start + from, start + from + many)
        };
        (start < end).then_some(Prefix { start, end, depth: depth + 1 })
    }

    /// The token that is just `prefix`.
    pub(super) fn exact(&self, prefix: Prefix) -> Option<u32> {
        // The shortest of those with the same beginning is the first.
        let token = self.tokens[prefix.start..prefix.end].first()?;
        (token.len == prefix.depth).then_some(token.id)
    }

    /// The tokens that begin with `prefix` and `bytes`.
    pub(super) fn after(&self, prefix: Prefix, bytes: &[u8]) -> Option<Prefix> {
        bytes.iter().try_fold(prefix, |prefix, byte| self.next(prefix, *byte))
    }

    /// The number of a token.
    pub(super) fn get(&self, token: &[u8]) -> Option<u32> {
        self.exact(self.after(self.all(), token)?)
    }
}
