//! The batch in which a new segment takes the place of what it was made of.

use pages::{Batch, Coordination, Error, META_BLOCK, Result};

use crate::allocate::{MERGE, make_room};
use crate::meta::{Chain, Listed, MAX_BUFFER, MAX_SEGMENTS, Meta, Retired};
use crate::segment::SegmentInfo;

/// What is to change in the metapage.
#[derive(Debug, Default)]
pub(crate) struct Change<'a> {
    /// The lock whose pages the new segment has.
    pub lock: usize,
    /// A new segment, with all its pages.
    pub add: Option<(SegmentInfo, Chain)>,
    /// Segments that it replaces.
    pub remove: &'a [u64],
    /// Pages at the beginning of the buffer that it replaces.
    pub flushed: usize,
}

impl Change<'_> {
    /// Makes the change.
    ///
    /// # Errors
    /// Those of the store; [`Error::Limit`] if there are too many segments.
    pub(crate) fn publish<S: Coordination>(&self, store: &S) -> Result<()> {
        loop {
            make_room(store, self.remove.len())?;
            let mut batch = store.batch();
            let mut meta = Meta::decode(batch.page(META_BLOCK)?)?;
            // After the lock: whoever reads the metapage as it was has begun before.
            let mark = store.mark()?;
            if !self.apply(&mut meta, mark)? {
                continue;
            }
            meta.encode(batch.page(META_BLOCK)?);
            return batch.commit();
        }
    }

    /// False if others have used up the room for retired pages.
    fn apply(&self, meta: &mut Meta, mark: u64) -> Result<bool> {
        if self.lock == MERGE {
            meta.progress.segment = 0;
        }
        for &id in self.remove {
            let entry = *meta.segment_mut(id)?;
            meta.segments.retain(|other| other.info.id != id);
            meta.retired.push(Retired { pages: entry.pages, mark });
        }
        if meta.retired.len() > crate::meta::MAX_RETIRED {
            return Ok(false);
        }
        if let Some((info, pages)) = self.add {
            if meta.segments.len() >= MAX_SEGMENTS {
                return Err(Error::Limit("the inverted index has too many segments"));
            }
            let (living, length) = (info.documents, info.total_length);
            meta.taken[self.lock] = None;
            let (claim, stale) = (None, false);
            meta.segments.push(Listed { info, pages, living, length, claim, stale });
        }
        if self.flushed > meta.buffer.len() {
            return Err(Error::corrupted(META_BLOCK, "metapage has lost pages of the buffer"));
        }
        meta.spare.extend(meta.buffer.drain(..self.flushed));
        meta.spare.truncate(MAX_BUFFER);
        meta.first_sequence += self.flushed as u64;
        meta.epoch = meta.epoch.wrapping_add(1);
        Ok(true)
    }
}
