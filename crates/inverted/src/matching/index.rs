//! The matches of a whole index: of its segments and its write buffer at one moment.

use pages::{HeapTid, PageStore, Result};

use super::{Match, matches};
use crate::document::Document;
use crate::segment::Heads;
use crate::snapshot::Snapshot;

/// Calls `each` for the living rows that match, in no order; twice for some, if the index was reorganized
/// meanwhile. A phrase of several terms needs positions: without them, it matches nothing.
///
/// # Errors
/// Those of the store, of damaged pages, and of `each`.
pub fn find<S: PageStore>(
    store: &S,
    heads: &Heads,
    condition: &Match,
    each: &mut dyn FnMut(HeapTid) -> Result<()>,
) -> Result<()> {
    let terms = condition.terms();
    Snapshot::undisturbed(store, |snapshot| {
        // First, because pages of the buffer are used again soon.
        let buffer = snapshot.buffer_matches(store, &terms, condition.has_phrase())?;
        for reader in heads.open(store, snapshot.segments(), snapshot.options().scoring)? {
            matches(&reader, condition, each)?;
        }
        for (document, held) in buffer.documents() {
            let positions = |term: &[u8]| {
                let number = terms.binary_search(&term).ok()?;
                let held = held.iter().find(|held| held.term as usize == number)?;
                Some(buffer.positions(held))
            };
            if condition.holds(&positions) {
                each(document.tid)?;
            }
        }
        Ok(())
    })
}

impl Match {
    /// The terms of the condition, in ascending order, each once.
    pub fn terms(&self) -> Vec<&[u8]> {
        let mut terms = Vec::new();
        self.add_terms(&mut terms);
        terms.sort_unstable();
        terms.dedup();
        terms
    }

    fn add_terms<'a>(&'a self, terms: &mut Vec<&'a [u8]>) {
        match self {
            Self::Term(term) => terms.push(term),
            Self::All(all) | Self::AtLeast(_, all) => {
                all.iter().for_each(|one| one.add_terms(terms));
            }
            Self::Phrase { terms: phrase, .. } => {
                terms.extend(phrase.iter().map(|(_, term)| &term[..]));
            }
        }
    }

    /// Whether a document matches that need not be in an index. Its postings have positions if the
    /// condition has a phrase.
    pub fn holds_in(&self, document: &Document) -> bool {
        self.holds(&|term| {
            let place = document.postings.binary_search_by(|posting| posting.term[..].cmp(term));
            place.ok().map(|place| &document.postings[place].positions[..])
        })
    }
}
