//! What others do between two steps of an insert.

mod support;

use std::cell::{Cell, OnceCell};
use std::collections::HashSet;

use graph::vacuum;
use pages::mem::{MemBatch, MemPage, MemStore};
use pages::{HeapTid, PageStore, Result};
use quant::Metric;
use support::*;

/// A store in which something happens once: before its first change.
struct Eventful<'a, F: FnOnce()> {
    store: &'a MemStore,
    event: Cell<Option<F>>,
}

impl<F: FnOnce()> PageStore for Eventful<'_, F> {
    type Page<'a>
        = MemPage<'a>
    where
        Self: 'a;
    type Batch<'a>
        = MemBatch<'a>
    where
        Self: 'a;

    fn blocks(&self) -> Result<u32> {
        self.store.blocks()
    }

    fn read(&self, block: u32) -> Result<MemPage<'_>> {
        self.store.read(block)
    }

    fn batch(&self) -> MemBatch<'_> {
        if let Some(event) = self.event.take() {
            event();
        }
        self.store.batch()
    }

    fn pause(&self) -> Result<()> {
        self.store.pause()
    }
}

/// Inserts a row; when it has chosen its neighbors, the `near` rows nearest to it are deleted, and
/// vacuum begins. The other passes of vacuum wait for the insert.
fn insert_among_the_dying(metric: Metric, near: usize) {
    let vectors = clustered(1_000, 24, 1);
    let store = bulk_built(options(metric, 24), &vectors);
    let (vector, new) = (&clustered(1, 24, 2)[0], vectors.len());
    let dead: HashSet<usize> = search(&store, vector, near, near).into_iter().collect();
    let emptied = OnceCell::new();
    let clear = || {
        let mut is_dead = |tid: HeapTid| dead.contains(&row(tid));
        let (cleared, _) = vacuum::clear(&store, &mut is_dead).expect("clears");
        emptied.set(cleared).expect("happens once");
    };
    let eventful = Eventful { store: &store, event: Cell::new(Some(clear)) };
    graph::insert(&eventful, vector, tid(new)).expect("inserts");
    // Wide enough for the dying, which are nearer.
    assert_eq!(search(&store, vector, 400, 1), [new], "{metric:?}, {near} die");
    let emptied = emptied.into_inner().expect("vacuum has begun");
    vacuum::unlink(&store, &emptied).expect("unlinks");
    vacuum::free(&store, emptied).expect("frees");
    assert_eq!(problems(&store), [], "{metric:?}, {near} die");
    assert_eq!(search(&store, vector, 40, 1), [new], "{metric:?}, {near} die");
}

#[test]
fn a_row_is_found_though_its_neighbors_die_before_they_lead_to_it() {
    for metric in [Metric::L2, Metric::L1] {
        for near in [1, 100, 1_000] {
            insert_among_the_dying(metric, near);
        }
    }
}
