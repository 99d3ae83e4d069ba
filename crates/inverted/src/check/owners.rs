//! To whom each page belongs.

use memory::filled;
use pages::{MAX_GAP, META_BLOCK, PageStore, Result};

use super::Problems;
use crate::meta::{Chain, FIRST_BLOCK, Meta};
use crate::page_list;

/// How often pages are counted while others take and free some.
const TRIES: usize = 10;

/// Reports pages that belong to nothing, or to two things.
pub(super) fn check<S: PageStore>(store: &S, problems: &mut Problems) -> Result<()> {
    for _ in 0..TRIES {
        let meta = Meta::read(store)?;
        let mut found = Problems::default();
        let all = count(store, &meta, &mut found)?;
        if Meta::read(store)? == meta {
            found.0.into_iter().try_for_each(|problem| problems.add(problem))?;
            let lost = || (FIRST_BLOCK..).zip(&all).filter(|(_, used)| !**used);
            if let Some((block, _)) = lost().next() {
                let what = format!("{} pages belong to nothing", lost().count());
                problems.push(block, what)?;
            }
            return Ok(());
        }
    }
    Ok(())
}

/// Whether each page, from the first that may, belongs to something.
fn count<S: PageStore>(store: &S, meta: &Meta, problems: &mut Problems) -> Result<Vec<bool>> {
    // Pages that were taken last may not be written yet.
    let most = store.blocks()?.saturating_add(MAX_GAP);
    if meta.next_page > most {
        problems.push(META_BLOCK, "metapage counts more pages than there are")?;
    }
    let pages = meta.next_page.min(most).saturating_sub(FIRST_BLOCK);
    let mut used = filled(pages as usize, false)?;
    let mut take = |block: u32, problems: &mut Problems| {
        let place = block.checked_sub(FIRST_BLOCK).and_then(|i| used.get_mut(i as usize));
        match place {
            None => problems.push(block, "page beyond the last belongs to something"),
            Some(true) => problems.push(block, "page belongs to two things"),
            Some(used) => {
                *used = true;
                Ok(())
            }
        }
    };
    for &block in meta.buffer.iter().chain(&meta.spare).chain(&meta.progress.pages) {
        take(block, problems)?;
    }
    let taken = meta.taken.iter().flatten().copied();
    let retired = meta.retired.iter().map(|retired| retired.pages);
    let segments = meta.segments.iter().map(|listed| listed.pages);
    for chain in taken.chain(retired).chain(segments) {
        let walked = page_list::walk(store, chain.first, Some(chain.last), |block, numbers| {
            take(block, problems)?;
            numbers.iter().try_for_each(|&number| take(number, problems))
        });
        problems.failed(chain.first, walked)?;
    }
    if let Some(free) = meta.free {
        let walked = page_list::walk(store, free, None, |block, numbers| {
            take(block, problems)?;
            numbers.iter().try_for_each(|&number| take(number, problems))
        });
        problems.failed(free, walked)?;
    }
    if store.blocks()? < meta.buffer.iter().max().map_or(0, |block| block + 1) {
        problems.push(META_BLOCK, "metapage counts more pages than there are")?;
    }
    Ok(used)
}

/// The pages on a chain, those of the chain itself not included.
pub(super) fn pages_of<S: PageStore>(store: &S, chain: Chain) -> Result<Vec<u32>> {
    use memory::Grow;
    let mut pages = Vec::new();
    page_list::walk(store, chain.first, Some(chain.last), |_, numbers| {
        Ok(pages.try_extend(numbers.iter().copied())?)
    })?;
    Ok(pages)
}
