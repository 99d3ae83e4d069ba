//! Forgetting rows.

use memory::Grow;
use pages::{Batch, HeapTid, META_BLOCK, PageStore, Result};

use crate::block::BlockMut;
use crate::geometry::BlockNo;
use crate::index::Ivf;
use crate::lists::List;
use crate::meta::Meta;

/// What a vacuum did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct VacuumStats {
    /// Rows forgotten.
    pub removed: u64,
    /// Rows left.
    pub remaining: u64,
}

/// Forgets the rows that `is_dead` tells; their entries and vectors are vacant for others of the
/// same list.
///
/// # Errors
/// Those of the store, and [`pages::Error::Corrupted`].
pub fn vacuum<S: PageStore>(
    store: &S,
    is_dead: &mut dyn FnMut(HeapTid) -> bool,
) -> Result<VacuumStats> {
    let ivf = Ivf::open(store)?;
    let mut stats = VacuumStats::default();
    for list in ivf.all_lists(store)? {
        clear(store, &ivf, &list, is_dead, &mut stats)?;
    }
    let mut batch = store.batch();
    let body = batch.page(META_BLOCK)?;
    let meta = Meta::decode(body)?;
    if meta.rows == stats.remaining {
        return Ok(stats);
    }
    Meta { rows: stats.remaining, ..meta }.encode(body);
    batch.commit()?;
    Ok(stats)
}

/// Entries of a block that stand for dead rows, a bit for each.
struct Dead {
    no: BlockNo,
    entries: u32,
}

fn clear<S: PageStore>(
    store: &S,
    ivf: &Ivf,
    list: &List,
    is_dead: &mut dyn FnMut(HeapTid) -> bool,
    stats: &mut VacuumStats,
) -> Result<()> {
    let (mut blocks, mut room, mut known) = (Vec::new(), None, None);
    ivf.blocks_of(store, (list.first, list.id()), |no, block| {
        let dead = block.entries().filter(|(_, entry)| is_dead(entry.tid));
        let entries = dead.fold(0u32, |dead, (i, _)| dead | 1 << i);
        stats.removed += u64::from(entries.count_ones());
        stats.remaining += u64::from((block.live() & !entries).count_ones());
        if entries != 0 {
            blocks.try_push(Dead { no, entries })?;
        }
        if no == list.first {
            known = block.room();
        }
        if entries != 0 || block.vacant().is_some() {
            room = room.or(Some(no));
        }
        Ok(true)
    })?;
    let geometry = ivf.geometry();
    for blocks in blocks.chunk_by(|a, b| a.no.page(geometry) == b.no.page(geometry)) {
        store.pause()?;
        let mut batch = store.batch();
        let body = batch.page(blocks[0].no.page(geometry))?;
        for dead in blocks {
            // What came since is none of those looked at.
            BlockMut::open(body, dead.no, list.id(), geometry)?.retain(!dead.entries);
        }
        batch.commit()?;
    }
    if !blocks.is_empty() && room != known {
        let mut batch = store.batch();
        let body = batch.page(list.first.page(geometry))?;
        BlockMut::open(body, list.first, list.id(), geometry)?.set_room(room);
        batch.commit()?;
    }
    Ok(())
}
