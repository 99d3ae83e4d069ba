//! Splits a compound word if it consists of words of a list.

use std::collections::{BTreeSet, HashSet};

pub(crate) struct Decompounder {
    words: HashSet<Box<str>>,
    /// Lengths of words in bytes, descending.
    lengths: Vec<usize>,
}

impl Decompounder {
    pub(super) fn new(words: &BTreeSet<String>) -> Self {
        let lengths: BTreeSet<usize> = words.iter().map(String::len).collect();
        Self {
            words: words.iter().map(|word| word.as_str().into()).collect(),
            lengths: lengths.into_iter().rev().collect(),
        }
    }

    /// Whether all of `text` is taken up by [`Decompounder::parts`].
    pub(super) fn splits(&self, text: &str) -> bool {
        self.parts(text).map(str::len).fold(0, usize::saturating_add) == text.len()
    }

    /// The words at the beginning of `text`, one after the other, each the longest possible. There
    /// is no backtracking: a list of `foo`, `foob`, and `bar` does not split `foobar`.
    pub(super) fn parts<'a>(&self, text: &'a str) -> impl Iterator<Item = &'a str> {
        let mut rest = text;
        std::iter::from_fn(move || {
            let longest = self.lengths.iter().find_map(|&length| {
                let (word, tail) = rest.split_at_checked(length)?;
                self.words.contains(word).then_some((word, tail))
            });
            let (word, tail) = longest?;
            rest = tail;
            Some(word)
        })
    }
}
