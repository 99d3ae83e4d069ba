//! Room in the directory: whoever adds a segment makes sure of it before it writes the segment.

use pages::{Coordination, Error, Result};

use crate::allocate::{MERGE, VACUUM, recover};
use crate::merge::{PART, is_claimed, merge_picked};
use crate::meta::{LOCKS, MAX_SEGMENTS, Meta};
use crate::pick::pick_of_many;

/// Segments from which on whoever adds one merges first, and waits for its turn to do so.
const CROWDED: usize = 64;
/// Segments from which on none is begun: each holder of a lock may have one in the making.
const FULL: usize = MAX_SEGMENTS - LOCKS;

/// Whether no segment may be begun. To be asked under the lock by which it is written.
pub(crate) fn is_full(meta: &Meta) -> bool {
    meta.segments.len() >= FULL
}

/// Merges some segments if there are very many, so that there is room for more. The caller holds no
/// lock: this waits for others.
///
/// # Errors
/// Those of the store, [`Error::Corrupted`], and [`Error::Limit`] if nothing can be merged.
pub(crate) fn ensure<S: Coordination>(store: &S) -> Result<()> {
    loop {
        let has_merged = merge_more(store, FULL)?;
        let meta = Meta::read(store)?;
        if !is_full(&meta) {
            return Ok(());
        }
        if has_merged || is_claimed(&meta, MERGE) {
            continue;
        }
        if !is_claimed(&meta, VACUUM) {
            return Err(too_many());
        }
        // All that could be merged is that of a vacuum, which may have failed.
        let _lock = store.lock(VACUUM as u32)?;
        recover(store, VACUUM)?;
    }
}

/// Merges until there are few enough segments that a vacuum may claim all of them. The caller holds the
/// lock [`VACUUM`] only, and has claimed nothing.
///
/// # Errors
/// As [`ensure`].
pub(crate) fn thin_out<S: Coordination>(store: &S) -> Result<()> {
    while merge_more(store, CROWDED)? {}
    if is_full(&Meta::read(store)?) { Err(too_many()) } else { Ok(()) }
}

fn too_many() -> Error {
    Error::Limit("the inverted index has too many segments")
}

/// Does a part of a merge if there are very many segments; from `limit` on all of one, in any case. False
/// if there was none to do.
fn merge_more<S: Coordination>(store: &S, limit: usize) -> Result<bool> {
    let pick = |meta: &Meta| {
        if meta.segments.len() < CROWDED { Vec::new() } else { pick_of_many(meta, limit) }
    };
    let seen = Meta::read(store)?;
    if seen.segments.len() < CROWDED || !is_claimed(&seen, MERGE) && pick(&seen).is_empty() {
        return Ok(false);
    }
    let _lock = store.lock(MERGE as u32)?;
    let part = (Meta::read(store)?.segments.len() < limit).then_some(PART);
    merge_picked(store, part, pick)
}

#[cfg(test)]
mod tests {
    use pages::HeapTid;
    use pages::mem::{Eventful, MemStore, Step};

    use super::*;
    use crate::allocate::{FLUSH, Taker};
    use crate::gather::Gathered;
    use crate::merge::claim;
    use crate::publish::Change;
    use crate::write::write_segment;
    use crate::{Document, Options, Posting, Scoring, check, create, insert, statistics, vacuum};

    fn empty() -> MemStore {
        let (store, scoring) = (MemStore::new(), Scoring::Bm25 { k1: 1.2, b: 0.75 });
        create(&store, Options { scoring, positions: false }, b"").expect("creates");
        store
    }

    /// A document of so many distinct terms: one of 700 fills most of a page, one of 20,000 becomes a
    /// segment.
    fn document(row: u32, terms: u32) -> Document {
        let term = |i: u32| format!("{i:06}").into_bytes();
        let posting = |i| Posting { term: term(i), value: 1, positions: Vec::new() };
        let tid = HeapTid { block: row, offset: 1 };
        Document { tid, length: terms, postings: (0..terms).map(posting).collect() }
    }

    /// Adds segments without asking for room.
    fn fill(store: &MemStore, segments: u32) -> Result<()> {
        let options = Meta::read(store)?.options;
        for row in 0..segments {
            let mut gathered = Gathered::default();
            gathered.document(&document(1_000_000 + row, 3))?;
            let add = Some(write_segment(Taker::new(store, MERGE)?, options, &gathered)?);
            Change { lock: MERGE, add, ..Change::default() }.publish(store)?;
        }
        Ok(())
    }

    /// Inserts rows until it would have to wait.
    fn insert_until_stuck(store: &MemStore, rows: &mut u32, terms: u32) {
        let stuck = loop {
            let result = insert(store, &document(*rows, terms));
            *rows += u32::from(result.is_ok() || terms < 1_000);
            if let Err(error) = result {
                break error;
            }
        };
        assert!(matches!(stuck, Error::Internal(_)), "{stuck}");
    }

    fn expect(store: &MemStore, rows: u32) {
        let mut problems = Vec::new();
        check(store, &|| u32::MAX, &mut |problem| problems.push(problem)).expect("checks");
        assert_eq!(problems, []);
        let found = statistics(store).expect("reads");
        assert_eq!(found.documents.documents, u64::from(rows));
        assert!(found.segments.len() < CROWDED, "{} segments", found.segments.len());
    }

    #[test]
    fn a_full_directory_recovers() {
        let store = empty();
        let segments = MAX_SEGMENTS as u32;
        fill(&store, segments).expect("fills");
        assert!(fill(&store, 1).is_err());
        for holder in [MERGE, VACUUM] {
            let store = store.clone();
            // Whoever had them has failed.
            let all = |meta: &Meta| meta.segments.iter().map(|listed| listed.info.id).collect();
            claim(&store, holder, all).expect("claims");
            let large = store.clone();
            insert(&large, &document(0, 20_000)).expect("inserts");
            expect(&large, segments + 1);
            let small = store.clone();
            (0..100).for_each(|row| insert(&small, &document(row, 700)).expect("inserts"));
            expect(&small, segments + 100);
            let stats = vacuum(&store, &mut |tid| tid.block % 2 == 0).expect("vacuums");
            assert_eq!((stats.removed, stats.remaining), (50, 50));
            expect(&store, 50);
        }
    }

    #[test]
    fn inserts_wait_before_the_directory_is_full() {
        for terms in [700, 20_000] {
            let (store, mut rows) = (empty(), 0);
            let merging = store.lock(MERGE as u32).expect("locks");
            if terms == 700 {
                fill(&store, CROWDED as u32 - 2).expect("fills");
            }
            insert_until_stuck(&store, &mut rows, terms);
            let (meta, before) = (Meta::read(&store).expect("reads"), rows);
            assert_eq!(meta.segments.len(), CROWDED);
            drop(merging);
            for row in before..before + 70 {
                insert(&store, &document(row, terms)).expect("inserts");
            }
            let others = if terms == 700 { CROWDED as u32 - 2 } else { 0 };
            expect(&store, before + 70 + others);
            vacuum(&store, &mut |_| false).expect("vacuums");
            expect(&store, before + 70 + others);
        }
    }

    /// Two wait for the buffer to be written out: one of them does it.
    #[test]
    fn a_buffer_is_written_out_once() {
        let (full, mut rows) = (empty(), 0);
        let flushing = full.lock(FLUSH as u32).expect("locks");
        insert_until_stuck(&full, &mut rows, 700);
        drop(flushing);
        // Until it has the lock.
        for left in 0..3 {
            let store = full.clone();
            let eventful = Eventful::once(&store, &[Step::Read], left, || {
                insert(&store, &document(rows, 700)).expect("inserts");
            });
            insert(&eventful, &document(rows + 1, 700)).expect("inserts");
            let found = statistics(&store).expect("reads");
            assert!(eventful.happened());
            assert_eq!(found.segments.len(), 1, "after {left} reads");
        }
    }
}
