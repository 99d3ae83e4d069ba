//! Pass 3: records that nothing leads to any more.

use pages::{Batch, META_BLOCK, PageStore, Result};

use super::Emptied;
use crate::Hnsw;
use crate::format::{Meta, State};
use crate::records::open;
use crate::tail::{free_tails, free_unclaimed};

/// Puts the dying records into the list of free ones and notes how many rows are left.
pub fn free<S: PageStore>(store: &S, mut emptied: Emptied) -> Result<()> {
    let hnsw = Hnsw::open(store)?;
    let geometry = hnsw.geometry();
    emptied.nodes.sort_unstable();
    for &tail in &emptied.unclaimed {
        free_unclaimed(store, &hnsw, tail)?;
    }
    for nodes in emptied.nodes.chunk_by(|a, b| a.block(geometry) == b.block(geometry)) {
        for &node in nodes {
            free_tails(store, &hnsw, node)?;
        }
        store.pause()?;
        let mut batch = store.batch();
        let mut meta = Meta::decode(batch.page(META_BLOCK)?)?;
        let mut freed = 0;
        for &node in nodes {
            let mut record = open(&mut batch, node, geometry)?;
            if record.as_ref().state() == State::Dying {
                record.write_free(meta.free);
                meta.free = Some(node);
                freed += 1;
            }
        }
        if let Some(calibration) = &mut meta.calibration {
            calibration.records = calibration.records.saturating_sub(freed);
        }
        meta.encode(batch.page(META_BLOCK)?);
        batch.commit()?;
    }
    let mut batch = store.batch();
    let body = batch.page(META_BLOCK)?;
    let mut meta = Meta::decode(body)?;
    if meta.elements != emptied.remaining {
        meta.elements = emptied.remaining;
        meta.encode(body);
        batch.commit()?;
    }
    Ok(())
}
