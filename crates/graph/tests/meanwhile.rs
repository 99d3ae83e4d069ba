//! What others do between two steps of an insert, or of a check.

use std::cell::OnceCell;
use std::collections::HashSet;

use crate::support::*;
use graph::{Hnsw, check, vacuum};
use pages::mem::{Eventful, Step};
use pages::{HeapTid, PageStore};
use quant::Metric;

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
    let eventful = Eventful::once(&store, &[Step::Batch], 0, clear);
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

#[test]
fn a_check_follows_searches_to_an_entry_that_came_behind_its_pages() {
    let rows = 100;
    let vectors = clustered(10_000, 24, 3);
    let store = bulk_built(options(Metric::L2, 24), &vectors[..rows]);
    let blocks = store.blocks().expect("counts");
    let is_new = || {
        let hnsw = Hnsw::open(&store).expect("opens");
        hnsw.meta().entry.is_some_and(|entry| entry.block(&hnsw.meta().geometry) >= blocks)
    };
    let raise = || {
        let mut new = (rows..).zip(&vectors[rows..]);
        while !is_new() {
            let (row, vector) = new.next().expect("rises above all sooner or later");
            graph::insert(&store, vector, tid(row)).expect("inserts");
        }
    };
    let eventful = Eventful::once(&store, &[Step::Pause], 0, raise);
    let mut problems = Vec::new();
    check(&eventful, &|| u32::MAX, &mut |problem| problems.push(problem)).expect("checks");
    assert!(eventful.happened());
    assert_eq!(problems, []);
}
