//! Moving the entry off a dying element.

use pages::{Batch, META_BLOCK, PageStore, Result};

use super::Emptied;
use crate::Hnsw;
use crate::format::{Meta, NodeNo, State};
use crate::root::{link_root, root_of};

/// Makes searches begin at a live record, of the highest level known.
///
/// Runs after the barrier: an insert that found no live element to hold on to either made itself
/// the entry, which is then not dying, or has ended and is found here.
pub(super) fn move_entry<S: PageStore>(store: &S, emptied: &Emptied) -> Result<()> {
    let dying = |meta: &Meta| meta.entry.is_some_and(|entry| emptied.set.contains(entry));
    if !dying(Hnsw::open(store)?.meta()) {
        return Ok(());
    }
    let new_entry = match emptied.live {
        Some(live) => Some(live),
        None => find_live(store)?,
    };
    if let Some((_, node)) = new_entry
        && let Some(new_root) = root_of(store, &Hnsw::open(store)?, node)?
    {
        link_root(store, new_root)?;
    }
    let mut batch = store.batch();
    let body = batch.page(META_BLOCK)?;
    let mut meta = Meta::decode(body)?;
    if !dying(&meta) {
        return Ok(());
    }
    meta.entry = new_entry.map(|(_, node)| node);
    meta.entry_level = new_entry.map_or(0, |(level, _)| level);
    meta.encode(body);
    batch.commit()
}

/// A live record of the highest level there is.
fn find_live<S: PageStore>(store: &S) -> Result<Option<(u8, NodeNo)>> {
    let hnsw = Hnsw::open(store)?;
    let mut best: Option<(u8, NodeNo)> = None;
    for block in META_BLOCK + 1..store.blocks()? {
        store.pause()?;
        hnsw.records_of(store, block, |node, record| {
            let level = record.element().level;
            if record.state() == State::Live && best.is_none_or(|(highest, _)| highest < level) {
                best = Some((level, node));
            }
            Ok(())
        })?;
    }
    Ok(best)
}
