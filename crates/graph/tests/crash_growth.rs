//! Crash windows of what happens seldom: an index that grows from nothing, elements above level 0,
//! another entry, rows of one vector that overflow their element, vectors that fill several pages.

use crate::support::*;
use graph::format::Record;
use graph::{Hnsw, vacuum};
use pages::mem::MemStore;
use pages::{Error, PageStore};
use quant::Metric;

/// Rows; each `of`th has the same vector.
fn rows(count: usize, dims: usize, of: usize) -> Vec<Vec<f32>> {
    let mut vectors = clustered(count, dims, 3);
    let same = vectors[0].clone();
    vectors.iter_mut().step_by(of).for_each(|vector| vector.clone_from(&same));
    vectors
}

/// Inserts rows until the store crashes; returns how many there are then.
fn insert_all(store: &MemStore, vectors: &[Vec<f32>]) -> usize {
    let inserts = |&i: &usize| match graph::insert(store, &vectors[i], tid(i)) {
        Ok(()) => true,
        Err(error) => {
            assert_eq!(error, Error::Crashed);
            false
        }
    };
    (0..vectors.len()).take_while(inserts).count()
}

/// The index is sound, and rows are found by their vectors.
#[track_caller]
fn expect_rows(store: &MemStore, vectors: &[Vec<f32>], there: impl Fn(usize) -> bool, at: u64) {
    assert_eq!(problems(store), [], "after {at} batches");
    for (i, vector) in vectors.iter().enumerate().filter(|&(i, _)| there(i)) {
        // As many as share a vector.
        let found = search(store, vector, 64, 1 + vectors.len() / 2);
        assert!(found.contains(&i), "row {i} after {at} batches: {found:?}");
    }
}

/// The rows of the element where searches begin.
fn rows_of_entry(store: &MemStore) -> Vec<usize> {
    let hnsw = Hnsw::open(store).expect("opens");
    let geometry = hnsw.meta().geometry;
    let read = |node: graph::format::NodeNo, look: &mut dyn FnMut(&Record<'_>)| {
        let block = node.block(&geometry);
        let page = store.read(block).expect("reads");
        look(&Record::read(&page, block, node.place(&geometry), &geometry).expect("reads"));
    };
    let entry = hnsw.meta().entry.expect("an entry");
    let mut base = entry;
    read(entry, &mut |record| base = record.element().base.unwrap_or(entry));
    let mut rows = Vec::new();
    read(base, &mut |record| rows = record.tids().map(row).collect());
    rows
}

#[test]
fn growth_survives_a_crash_at_any_batch() {
    for (count, dims, of) in [(110, 16, 4), (24, 5_000, 2)] {
        let vectors = rows(count, dims, of);
        let sound = empty(options(Metric::L2, dims));
        assert_eq!(insert_all(&sound, &vectors), count);
        let info = graph::info(&sound).expect("counts");
        assert!(info.overflow > 0);
        assert!(dims > 16 || info.meta.entry_level > 0);
        // All batches of the few long vectors; of the short ones each third, beginning with each.
        let step = if dims > 16 { 1 } else { 3 };
        for at in (0..sound.commits()).step_by(step) {
            let store = empty(options(Metric::L2, dims));
            store.crash_after(at);
            let done = insert_all(&store, &vectors);
            store.recover();
            expect_rows(&store, &vectors, |i| i < done, at);
            for (i, vector) in vectors.iter().enumerate().skip(done) {
                // The row of the insert that crashed is dead; another takes its place.
                graph::insert(&store, vector, tid(i + 1_000)).expect("inserts");
            }
            let mut crashed = |found| found == tid(done);
            let (emptied, _) = vacuum::clear(&store, &mut crashed).expect("vacuums");
            vacuum::unlink(&store, &emptied).expect("vacuums");
            vacuum::free(&store, emptied).expect("vacuums");
            expect_rows(&store, &vectors, |i| i < done, at);
            let info = graph::info(&store).expect("counts");
            assert_eq!((info.tids, info.dying), (count as u64, 0), "after {at} batches");
        }
    }
}

#[test]
fn a_vacuum_of_the_entry_survives_a_crash_at_any_batch() {
    for (count, dims, of) in [(120, 16, 4), (24, 5_000, 2)] {
        let vectors = rows(count, dims, of);
        let sound = empty(options(Metric::L2, dims));
        assert_eq!(insert_all(&sound, &vectors), count);
        let entry = rows_of_entry(&sound);
        // Two thirds go: the entry, and rows of the vector that many share.
        let is_dead = |i: usize| entry.contains(&i) || !i.is_multiple_of(3);
        let run = |store: &MemStore| {
            let mut dead = |tid| is_dead(row(tid));
            let (emptied, _) = vacuum::clear(store, &mut dead)?;
            vacuum::unlink(store, &emptied)?;
            vacuum::free(store, emptied)
        };
        for at in 0.. {
            let store = sound.clone();
            store.crash_after(at);
            let outcome = run(&store);
            store.recover();
            expect_rows(&store, &vectors, |i| !is_dead(i), at);
            run(&store).expect("vacuums");
            expect_rows(&store, &vectors, |i| !is_dead(i), at);
            let info = graph::info(&store).expect("counts");
            assert_eq!(info.tids, (0..count).filter(|&i| !is_dead(i)).count() as u64);
            assert_eq!(info.dying, 0, "after {at} batches");
            if outcome.is_ok() {
                assert!(at > 20, "only {at} batches");
                break;
            }
        }
        // All of it goes: the next row begins anew.
        let (emptied, _) = vacuum::clear(&sound, &mut |_| true).expect("vacuums");
        vacuum::unlink(&sound, &emptied).expect("vacuums");
        vacuum::free(&sound, emptied).expect("vacuums");
        assert_eq!(insert_all(&sound, &vectors), count);
        expect_rows(&sound, &vectors, |_| true, 0);
    }
}
