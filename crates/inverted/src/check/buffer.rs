//! Pages of the write buffer.

use pages::{Error, HeapTid, PageStore, Result};

use super::Problems;
use crate::buffer::{Page, hash, push_positions};
use crate::meta::{Meta, Options};
use crate::score::{Scoring, Statistics};

/// How often the buffer is looked at while others write it out.
const TRIES: usize = 10;

/// Reports what is wrong with the pages of the buffer.
pub(super) fn check<S: PageStore>(store: &S, problems: &mut Problems) -> Result<()> {
    for _ in 0..TRIES {
        let meta = Meta::read(store)?;
        let mut found = Problems::default();
        check_as_it_is(store, &meta, &mut found)?;
        if found.0.is_empty() || Meta::read(store)?.first_sequence == meta.first_sequence {
            return found.0.into_iter().try_for_each(|problem| problems.add(problem));
        }
    }
    Ok(())
}

fn check_as_it_is<S: PageStore>(store: &S, meta: &Meta, problems: &mut Problems) -> Result<()> {
    // The document that is to go on in the next page.
    let mut open = None;
    for (sequence, &block) in (meta.first_sequence..).zip(&meta.buffer) {
        store.pause()?;
        let body = store.read(block)?;
        let checked = match Page::open(&body, block, sequence) {
            Ok(Some(page)) => check_page(page, block, meta.options, &mut open),
            Ok(None) => Err(Error::corrupted(block, "page of the write buffer has another number")),
            Err(error) => Err(error),
        };
        drop(body);
        if checked.is_err() {
            open = None;
        }
        problems.failed(block, checked)?;
    }
    if open.is_some() {
        let block = meta.buffer.last().copied().unwrap_or(0);
        problems.push(block, "document of the write buffer ends too early")?;
    }
    Ok(())
}

fn check_page(
    page: Page<'_>,
    block: u32,
    options: Options,
    open: &mut Option<HeapTid>,
) -> Result<()> {
    let wrong = |what| Err(Error::corrupted(block, what));
    let weighted = options.scoring == Scoring::InnerProduct;
    let (mut counted, mut positions) = (Statistics::default(), Vec::new());
    for part in page.parts() {
        let part = part?;
        if part.is_continued() != open.is_some() || open.is_some_and(|tid| tid != part.tid()) {
            return wrong("document of the write buffer is torn apart");
        }
        if !part.tid().is_possible() {
            return wrong("document has an impossible row");
        }
        *open = part.continues().then(|| part.tid());
        if !part.is_continued() {
            counted.documents += 1;
            counted.total_length = counted.total_length.saturating_add(part.length().into());
        }
        for (&of, term) in part.hashes.iter().zip(part.terms(options)) {
            let term = term?;
            if !weighted && u32::from_le_bytes(of) != hash(term.term, false) {
                return wrong("hash is not that of the term");
            }
            positions.clear();
            if !push_positions(term.positions, &mut positions) {
                return wrong("positions do not ascend");
            }
        }
    }
    if counted == page.statistics { Ok(()) } else { wrong("page counts its documents wrong") }
}
