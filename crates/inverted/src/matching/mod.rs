//! Which documents match a condition on their terms, without scores.

mod index;
mod node;
mod phrase;
mod segment;

pub use index::find;
pub(crate) use phrase::is_within;
pub use segment::matches;

/// A condition on the terms of a document.
#[derive(Clone, Debug, PartialEq)]
pub enum Match {
    /// Holds the term.
    Term(Vec<u8>),
    /// Matches all of these; nothing if there are none.
    All(Vec<Match>),
    /// Matches at least so many of these, and at least one.
    AtLeast(usize, Vec<Match>),
    /// Holds the terms at these positions relative to each other, apart from a displacement of at most
    /// `slop`: if each is moved back by its position in the phrase, all are at most so far apart. A word
    /// between two neighbors is a displacement of 1, and neighbors that are swapped have one of 2.
    ///
    /// This is the slop of Lucene. That of Milvus and tantivy is the same for two terms; for more, it
    /// depends on how frequent the terms are, and finds some of these documents only.
    Phrase {
        /// Positions and terms, in the order of the phrase.
        terms: Vec<(u32, Vec<u8>)>,
        /// The most displacement.
        slop: u32,
    },
}

impl Match {
    /// Matches documents with at least `least` of the different tokens.
    pub fn tokens<T: AsRef<[u8]>>(tokens: impl IntoIterator<Item = T>, least: usize) -> Self {
        let mut terms: Vec<Vec<u8>> =
            tokens.into_iter().map(|token| crate::stored(token.as_ref()).into_owned()).collect();
        terms.sort();
        terms.dedup();
        Self::AtLeast(least, terms.into_iter().map(Self::Term).collect())
    }

    /// Matches documents with the tokens as a phrase; each token comes with its position.
    pub fn phrase<T: AsRef<[u8]>>(tokens: impl IntoIterator<Item = (u32, T)>, slop: u32) -> Self {
        let stored = |(at, token): (u32, T)| (at, crate::stored(token.as_ref()).into_owned());
        let mut terms: Vec<_> = tokens.into_iter().map(stored).collect();
        match terms.len() {
            // Needs no positions.
            1 => terms.pop().map_or(Self::All(Vec::new()), |(_, term)| Self::Term(term)),
            _ => Self::Phrase { terms, slop },
        }
    }

    /// Whether the tree has a phrase, which needs positions.
    pub fn has_phrase(&self) -> bool {
        match self {
            Self::Term(_) => false,
            Self::All(all) | Self::AtLeast(_, all) => all.iter().any(Self::has_phrase),
            Self::Phrase { terms, .. } => terms.len() > 1,
        }
    }

    /// Whether a document matches. `positions` returns the ascending positions of a term in the
    /// document, or none if the document does not hold it.
    pub fn holds<'d>(&self, positions: &dyn Fn(&[u8]) -> Option<&'d [u32]>) -> bool {
        match self {
            Self::Term(term) => positions(term).is_some(),
            Self::All(all) => !all.is_empty() && all.iter().all(|one| one.holds(positions)),
            Self::AtLeast(least, all) => {
                all.iter().filter(|one| one.holds(positions)).count() >= (*least).max(1)
            }
            Self::Phrase { terms, slop } => {
                let found = terms.iter().map(|(at, term)| Some((*at, positions(term)?)));
                let found: Option<Vec<(u32, &[u32])>> = found.collect();
                found.is_some_and(|found| is_within(found, *slop))
            }
        }
    }
}
