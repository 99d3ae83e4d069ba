//! Segments: their documents, terms and postings.

use memory::Grow;
use pages::{PageStore, Result};

use super::Problems;
use super::owners::pages_of;
use crate::meta::{Listed, Meta};
use crate::segment::Reader;

/// How often a segment is looked at while vacuum changes it.
const TRIES: usize = 5;

/// Reports what is wrong with a segment.
pub(super) fn check<S: PageStore>(
    store: &S,
    listed: &Listed,
    meta: &Meta,
    problems: &mut Problems,
) -> Result<()> {
    let mut listed = *listed;
    for _ in 0..TRIES {
        let mut found = Problems::default();
        let checked = check_as_it_is(store, &listed, meta, &mut found);
        found.failed(listed.info.root, checked)?;
        if !found.0.is_empty() {
            let now = Meta::read(store)?;
            match now.segments.into_iter().find(|now| now.info.id == listed.info.id) {
                // It was replaced.
                None => return Ok(()),
                Some(now) if now != listed => {
                    listed = now;
                    continue;
                }
                Some(_) => {}
            }
        }
        return found.0.into_iter().try_for_each(|problem| problems.add(problem));
    }
    Ok(())
}

fn check_as_it_is<S: PageStore>(
    store: &S,
    listed: &Listed,
    meta: &Meta,
    problems: &mut Problems,
) -> Result<()> {
    let info = &listed.info;
    let reader = Reader::open(store, info, meta.options.scoring)?;
    if reader.has_positions() != meta.options.positions {
        problems.push(info.root, "segment and metapage disagree about positions")?;
    }
    let mut blocks = Vec::new();
    reader.blocks(&mut |block| Ok(blocks.try_push(block)?))?;
    let mut pages = pages_of(store, listed.pages)?;
    blocks.sort_unstable();
    pages.sort_unstable();
    if blocks != pages || pages.len() != info.pages as usize {
        problems.push(info.root, "pages of a segment are not those on its list")?;
    }
    let documents = documents(&reader, listed, problems)?;
    terms(&reader, listed, meta, &documents, problems)
}

/// A bit for each living document, and the lengths of all.
struct Seen {
    alive: Vec<u64>,
    lengths: Vec<u32>,
}

fn documents<S: PageStore>(
    reader: &Reader<'_, S>,
    listed: &Listed,
    problems: &mut Problems,
) -> Result<Seen> {
    let (mut alive, mut all) = (Vec::new(), Vec::new());
    let (mut living, mut length, mut total) = (0u32, 0u64, 0u64);
    for group in 0..reader.groups() {
        let group = reader.documents(group)?;
        alive.try_extend(group.dead.iter().map(|word| !word))?;
        all.try_extend(group.lengths.iter().copied())?;
        for (i, &tokens) in group.lengths.iter().enumerate() {
            total = total.saturating_add(tokens.into());
            if !group.is_dead(i) {
                living += 1;
                length = length.saturating_add(tokens.into());
            }
        }
    }
    let counted = (listed.living, listed.length, listed.info.total_length);
    if counted != (living, length, total) {
        let what = format!(
            "directory counts {}, {} and {} as documents, their length and that of all: they are \
             {living}, {length} and {total}",
            counted.0, counted.1, counted.2
        );
        problems.push(listed.info.root, what)?;
    }
    Ok(Seen { alive, lengths: all })
}

fn terms<S: PageStore>(
    reader: &Reader<'_, S>,
    listed: &Listed,
    meta: &Meta,
    documents: &Seen,
    problems: &mut Problems,
) -> Result<()> {
    let (mut terms, mut positions) = (reader.terms(), Vec::new());
    let (mut count, mut all) = (0u64, 0u64);
    while let Some((term, entry)) = terms.next()? {
        if reader.lookup(term)?.as_ref() != Some(&entry) {
            problems.push(entry.block(), "term is not found")?;
        }
        count += 1;
        all += u64::from(entry.count);
        let mut postings = reader.postings(&entry)?;
        let (mut last, mut number, mut living) = (None, 0u32, 0u32);
        let (mut sound, mut bounded) = (true, true);
        while let Some(ordinal) = postings.ordinal() {
            sound &= last.is_none_or(|last| last < ordinal) && ordinal < listed.info.documents;
            last = Some(ordinal);
            number = number.saturating_add(1);
            let word = documents.alive.get(ordinal as usize / 64).copied().unwrap_or(0);
            living += (word >> (ordinal % 64) & 1) as u32;
            if meta.options.positions {
                postings.positions(&mut positions)?;
                sound &= positions.is_sorted_by(|a, b| a < b);
            }
            let length = documents.lengths.get(ordinal as usize).copied().unwrap_or(0);
            bounded &= postings.is_bounded(length);
            postings.advance()?;
        }
        if !bounded {
            problems.push(entry.block(), "bounds of a term do not hold")?;
        }
        if !sound || number != entry.count {
            problems.push(entry.block(), "postings of a term are damaged")?;
        } else if !listed.stale && living != entry.frequency {
            let what = format!(
                "document frequency of a term is {} for {living} documents",
                entry.frequency
            );
            problems.push(entry.block(), what)?;
        }
    }
    if (count, all) != (reader.number_of_terms(), reader.number_of_postings()) {
        problems.push(listed.info.root, "segment counts its terms and postings wrong")?;
    }
    Ok(())
}
