//! A condition with cursors on the postings of a segment.

use memory::Grow;
use pages::{PageStore, Result};

use super::{Match, is_within};
use crate::postings::Postings;
use crate::segment::Reader;

/// A part of a condition, on its first match or after the last.
pub(super) struct Node<'r, 's, S: PageStore> {
    kind: Kind<'r, 's, S>,
    /// The document it is on.
    pub current: Option<u32>,
}

enum Kind<'r, 's, S: PageStore> {
    Nothing,
    Term(Box<Postings<'r, 's, S>>),
    AtLeast { least: usize, all: Vec<Node<'r, 's, S>>, sorted: Vec<u32> },
    Phrase { terms: Vec<(u32, Postings<'r, 's, S>)>, slop: u32, found: Vec<Vec<u32>> },
}

impl<'r, 's, S: PageStore> Node<'r, 's, S> {
    pub fn new(reader: &'r Reader<'s, S>, condition: &Match) -> Result<Self> {
        let kind = match condition {
            Match::Term(term) => match reader.lookup(term)? {
                Some(entry) => Kind::Term(Box::new(reader.postings(&entry)?)),
                None => Kind::Nothing,
            },
            Match::All(all) => Self::at_least(reader, all.len(), all)?,
            Match::AtLeast(least, all) => Self::at_least(reader, *least, all)?,
            Match::Phrase { terms, slop } => Self::phrase(reader, terms, *slop)?,
        };
        let mut node = Self { kind, current: None };
        node.current = node.find(0)?;
        Ok(node)
    }

    fn at_least(reader: &'r Reader<'s, S>, least: usize, all: &[Match]) -> Result<Kind<'r, 's, S>> {
        let least = least.max(1);
        let mut nodes = Vec::new();
        for (condition, left) in all.iter().zip((1..=all.len()).rev()) {
            if nodes.len() + left < least {
                return Ok(Kind::Nothing);
            }
            let node = Self::new(reader, condition)?;
            if node.current.is_some() {
                nodes.try_push(node)?;
            }
        }
        Ok(Kind::AtLeast { least, all: nodes, sorted: Vec::new() })
    }

    fn phrase(
        reader: &'r Reader<'s, S>,
        terms: &[(u32, Vec<u8>)],
        slop: u32,
    ) -> Result<Kind<'r, 's, S>> {
        let mut cursors = Vec::new();
        for (at, term) in terms {
            let Some(entry) = reader.lookup(term)? else { return Ok(Kind::Nothing) };
            cursors.push((*at, reader.postings(&entry)?));
        }
        let found = terms.iter().map(|_| Vec::new()).collect();
        Ok(if cursors.is_empty() {
            Kind::Nothing
        } else {
            Kind::Phrase { terms: cursors, slop, found }
        })
    }

    /// Moves to the first match of `target` or a later document, not backwards.
    pub fn seek(&mut self, target: u32) -> Result<()> {
        if self.current.is_some_and(|current| current < target) {
            self.current = self.find(target)?;
        }
        Ok(())
    }

    fn find(&mut self, target: u32) -> Result<Option<u32>> {
        match &mut self.kind {
            Kind::Nothing => Ok(None),
            Kind::Term(postings) => {
                postings.seek(target)?;
                Ok(postings.ordinal())
            }
            Kind::AtLeast { least, all, sorted } => find_at_least(*least, all, sorted, target),
            Kind::Phrase { terms, slop, found } => find_phrase(terms, *slop, found, target),
        }
    }
}

fn find_at_least<S: PageStore>(
    least: usize,
    all: &mut [Node<'_, '_, S>],
    sorted: &mut Vec<u32>,
    mut target: u32,
) -> Result<Option<u32>> {
    loop {
        for node in &mut *all {
            node.seek(target)?;
        }
        sorted.clear();
        sorted.try_extend(all.iter().filter_map(|node| node.current))?;
        sorted.sort_unstable();
        // No document before this is on enough lists.
        let Some(&next) = sorted.get(least - 1) else { return Ok(None) };
        if sorted.iter().filter(|&&current| current == next).count() >= least {
            return Ok(Some(next));
        }
        // Some are before it, as too few are on it.
        target = next;
    }
}

fn find_phrase<S: PageStore>(
    terms: &mut [(u32, Postings<'_, '_, S>)],
    slop: u32,
    found: &mut [Vec<u32>],
    mut target: u32,
) -> Result<Option<u32>> {
    'documents: loop {
        for (_, postings) in &mut *terms {
            postings.seek(target)?;
            match postings.ordinal() {
                None => return Ok(None),
                Some(ordinal) if ordinal > target => {
                    target = ordinal;
                    continue 'documents;
                }
                Some(_) => {}
            }
        }
        if terms.len() == 1 {
            return Ok(Some(target));
        }
        for ((_, postings), found) in terms.iter_mut().zip(&mut *found) {
            postings.positions(found)?;
        }
        let places = terms.iter().zip(&*found).map(|((at, _), found)| (*at, &found[..]));
        if is_within(places, slop) {
            return Ok(Some(target));
        }
        target += 1; // below 2^31 documents
    }
}
