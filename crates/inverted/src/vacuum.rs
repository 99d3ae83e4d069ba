//! Forgetting rows, and keeping the index compact.

use memory::Grow;
use pages::{Batch, Coordination, HeapTid, META_BLOCK, Result};

use crate::allocate::{FIRST_OF_LARGE, FLUSH, MERGE, VACUUM, reclaim, recover};
use crate::dictionary::Entry;
use crate::flush::flush;
use crate::merge::{claim, merge};
use crate::meta::{LOCKS, Listed, Meta};
use crate::pick::{MAX_FAN_IN, fitting, size};
use crate::room::thin_out;
use crate::segment::{Reader, kill, set_frequency};
use crate::statistics::living;

/// What a vacuum did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VacuumStats {
    /// Rows forgotten.
    pub removed: u64,
    /// Rows left.
    pub remaining: u64,
}

/// Dead documents of a segment beyond which it is written anew: one of so many.
const DEAD_SHARE: u32 = 4;
/// A segment is merged with all smaller ones once they have together one of so many of its pages.
const GROWTH: u64 = 3;

/// Forgets the rows that `is_dead` tells, all of which were inserted before; then writes out the buffer
/// and merges segments, so that few are left. Frequencies and lengths that scores depend on are those of
/// the living rows afterwards.
///
/// Inserts and searches may go on meanwhile.
///
/// # Errors
/// Those of the store, and [`pages::Error::Corrupted`].
pub fn vacuum<S: Coordination>(
    store: &S,
    is_dead: &mut dyn FnMut(HeapTid) -> bool,
) -> Result<VacuumStats> {
    run(store, Some(is_dead))
}

/// Does what a vacuum does beside forgetting rows: writes out the buffer and merges segments. Reads
/// documents only of segments that it merges.
///
/// # Errors
/// As [`vacuum`].
pub fn cleanup<S: Coordination>(store: &S) -> Result<VacuumStats> {
    run(store, None)
}

fn run<S: Coordination>(
    store: &S,
    is_dead: Option<&mut dyn FnMut(HeapTid) -> bool>,
) -> Result<VacuumStats> {
    let forgets = is_dead.is_some();
    let mut none = |_| false;
    let is_dead = is_dead.unwrap_or(&mut none);
    let _lock = store.lock(VACUUM as u32)?;
    recover(store, VACUUM)?;
    reclaim(store)?;
    let mut removed = 0;
    let mut count = |tid| {
        let dead = is_dead(tid);
        removed += u64::from(dead);
        dead
    };
    let ids = loop {
        thin_out(store)?;
        // Rows stay in the segments where they are from here on: those that are in the buffer now, and
        // those that others merge.
        let _merge = store.lock(MERGE as u32)?;
        recover(store, MERGE)?;
        let _flush = store.lock(FLUSH as u32)?;
        recover(store, FLUSH)?;
        if flush(store, &mut count)? {
            let all = |meta: &Meta| meta.segments.iter().map(|listed| listed.info.id).collect();
            break claim(store, VACUUM, all)?;
        }
    };
    for lock in FIRST_OF_LARGE..LOCKS {
        if let Some(_lock) = store.try_lock(lock as u32)? {
            recover(store, lock)?;
        }
    }
    for &id in &ids {
        if forgets || Meta::read(store)?.segment_mut(id)?.stale {
            forget(store, id, &mut count)?;
        }
    }
    compact(store, ids)?;
    recover(store, VACUUM)?;
    reclaim(store)?;
    let remaining = living(store)?;
    Ok(VacuumStats { removed, remaining })
}

/// Marks the rows of a segment that are dead, and corrects the frequencies of its terms unless it will
/// be written anew.
fn forget<S: Coordination>(
    store: &S,
    id: u64,
    is_dead: &mut dyn FnMut(HeapTid) -> bool,
) -> Result<()> {
    let mut meta = Meta::read(store)?;
    let options = meta.options;
    let info = meta.segment_mut(id)?.info;
    let reader = Reader::open(store, &info, options.scoring)?;
    let mut alive: Vec<u64> = memory::with_room((info.documents as usize).div_ceil(64))?;
    for group in 0..reader.groups() {
        let mut group = reader.documents(group)?;
        let (mut places, mut length) = (Vec::new(), 0);
        for (i, (&tid, &tokens)) in group.tids.iter().zip(&group.lengths).enumerate() {
            if !group.is_dead(i) && is_dead(tid) {
                places.try_push(i)?;
                length += u64::from(tokens);
            }
        }
        if !places.is_empty() {
            let mut batch = store.batch();
            let mut meta = Meta::decode(batch.page(META_BLOCK)?)?;
            let listed = meta.segment_mut(id)?;
            let killed = kill(batch.page(group.block)?, group.block, id, places.iter().copied())?;
            listed.living = listed.living.saturating_sub(killed as u32);
            listed.length = listed.length.saturating_sub(length);
            listed.stale = true;
            meta.encode(batch.page(META_BLOCK)?);
            batch.commit()?;
            for i in places {
                group.dead[i / 64] |= 1 << (i % 64);
            }
        }
        alive.try_extend(group.dead.iter().map(|word| !word))?;
    }
    let listed = *Meta::read(store)?.segment_mut(id)?;
    if listed.stale && !is_to_be_rewritten(&listed) {
        correct(store, &reader, &alive)?;
        let mut batch = store.batch();
        let mut meta = Meta::decode(batch.page(META_BLOCK)?)?;
        meta.segment_mut(id)?.stale = false;
        meta.encode(batch.page(META_BLOCK)?);
        batch.commit()?;
    }
    Ok(())
}

fn is_to_be_rewritten(listed: &Listed) -> bool {
    let dead = listed.info.documents.saturating_sub(listed.living);
    u64::from(dead) * u64::from(DEAD_SHARE) > u64::from(listed.info.documents)
}

/// Sets the document frequencies of all terms of a segment to the number of living documents.
fn correct<S: Coordination>(store: &S, reader: &Reader<'_, S>, alive: &[u64]) -> Result<()> {
    let mut changes: Vec<(Entry, u32)> = Vec::new();
    let mut terms = reader.terms();
    while let Some((_, entry)) = terms.next()? {
        let (mut postings, mut frequency) = (reader.postings(&entry)?, 0);
        while let Some(ordinal) = postings.ordinal() {
            let word = alive.get(ordinal as usize / 64).copied().unwrap_or(0);
            frequency += (word >> (ordinal % 64) & 1) as u32;
            postings.advance()?;
        }
        if frequency == entry.frequency {
            continue;
        }
        if changes.last().is_some_and(|(last, _)| last.block() != entry.block()) {
            set_frequencies(store, reader.info().id, &mut changes)?;
        }
        changes.try_push((entry, frequency))?;
    }
    set_frequencies(store, reader.info().id, &mut changes)
}

/// Changes frequencies that are in one page.
fn set_frequencies<S: Coordination>(
    store: &S,
    id: u64,
    changes: &mut Vec<(Entry, u32)>,
) -> Result<()> {
    let Some(block) = changes.first().map(|(entry, _)| entry.block()) else { return Ok(()) };
    store.pause()?;
    let mut batch = store.batch();
    let body = batch.page(block)?;
    for (entry, frequency) in changes.drain(..) {
        set_frequency(body, block, id, &entry, frequency)?;
    }
    batch.commit()
}

/// Merges the segments with these ids, which are claimed, so that each that is left is several times as
/// large as all smaller ones together.
fn compact<S: Coordination>(store: &S, mut ids: Vec<u64>) -> Result<()> {
    loop {
        let meta = Meta::read(store)?;
        let ours = meta.segments.iter().filter(|listed| ids.contains(&listed.info.id));
        let mut sorted: Vec<&Listed> = ours.collect();
        sorted.sort_unstable_by_key(|listed| (size(listed), listed.info.id));
        let Some(smallest) = sorted.first() else { return Ok(()) };
        let fitting = fitting(&sorted);
        let end = chosen(&sorted[..fitting]);
        if end == 0 && fitting < sorted.len() {
            // The first are left as they are, as one segment cannot have these and the next.
            ids.retain(|&id| id != smallest.info.id);
            continue;
        }
        // If there are too many for one merge, so few at first that others are full.
        let count = if end > MAX_FAN_IN { 2 + (end - 2) % (MAX_FAN_IN - 1) } else { end };
        let merged: Vec<u64> = sorted[..count].iter().map(|listed| listed.info.id).collect();
        if merged.is_empty() {
            return Ok(());
        }
        merge(store, VACUUM, &merged, &mut |_| false)?;
        ids.retain(|id| !merged.contains(id));
        // What comes of the smallest may be merged with others.
        if end > MAX_FAN_IN {
            let new = claim(store, VACUUM, |now| {
                let old = |id| meta.segments.iter().any(|listed| listed.info.id == id);
                let free = now.segments.iter().filter(|listed| listed.claim.is_none());
                free.map(|listed| listed.info.id).filter(|&id| !old(id)).collect()
            })?;
            ids.extend(new);
        }
    }
}

/// How many of the segments, the smallest first, are to be merged.
fn chosen(sorted: &[&Listed]) -> usize {
    let (mut sum, mut end) = (0, 0);
    for (i, listed) in sorted.iter().enumerate() {
        let size = size(listed);
        if i > 0 && size <= sum * GROWTH || is_to_be_rewritten(listed) {
            end = i + 1;
        }
        sum += size;
    }
    end
}
