//! Vectors that no page holds whole.

use std::collections::HashSet;

use crate::support::*;
use graph::format::Geometry;
use graph::vacuum;
use pages::mem::MemStore;
use pages::{Error, HeapTid, PageStore};
use quant::Metric;
use vectors::Form;

const DIMS: usize = 9_000;

fn tails() -> u64 {
    Geometry::choose(Form::Halves, DIMS, 16, true).expect("fits").tails() as u64
}

fn vacuum_rows(store: &MemStore, dead: &HashSet<usize>) -> Result<(), Error> {
    let mut is_dead = |tid: HeapTid| dead.contains(&row(tid));
    let (emptied, _) = vacuum::clear(store, &mut is_dead)?;
    vacuum::unlink(store, &emptied)?;
    vacuum::free(store, emptied)
}

/// No tails but those of live elements.
fn expect_no_waste(store: &MemStore) {
    let info = graph::info(store).expect("counts");
    assert_eq!((info.tails, info.dying), (tails() * info.levels[0], 0));
}

#[test]
fn long_vectors_are_found() {
    assert_eq!(tails(), 2);
    for (form, metric, dims) in [
        (Form::Halves, Metric::L2, 4_096),
        (Form::Halves, Metric::Cosine, DIMS),
        (Form::Halves, Metric::L1, 4_500),
        (Form::Halves, Metric::L2, 16_000),
        (Form::Floats, Metric::InnerProduct, 2_000),
        (Form::Sq8, Metric::L2, DIMS),
        (Form::Rabitq, Metric::Cosine, 16_000),
    ] {
        let (rows, queries) = (clustered(160, dims, 1), clustered(12, dims, 2));
        expect_recall_in(form, metric, &rows, &queries, 80);
    }
}

#[test]
fn rows_of_one_long_vector_share_an_element() {
    let vectors = clustered(3, DIMS, 3);
    let store = empty(options(Metric::L2, DIMS));
    for i in 0..60 {
        graph::insert(&store, &vectors[i % 3], tid(i)).expect("inserts");
    }
    assert_eq!(graph::info(&store).expect("counts").levels, [3]);
    expect_no_waste(&store);
    assert_eq!(search(&store, &vectors[0], 10, 100).len(), 60);
}

#[test]
fn the_space_of_long_vectors_is_used_again() {
    let vectors = clustered(180, DIMS, 4);
    let store = bulk_built(options(Metric::L2, DIMS), &vectors[..120]);
    let pages = store.blocks();
    vacuum_rows(&store, &(0..60).collect()).expect("vacuums");
    expect_no_waste(&store);
    for (i, vector) in vectors.iter().enumerate().skip(120) {
        graph::insert(&store, vector, tid(i)).expect("inserts");
    }
    assert_eq!(problems(&store), []);
    assert!(store.blocks().expect("counts") <= pages.expect("counts") + 2);
    for (i, vector) in vectors.iter().enumerate().skip(60) {
        assert_eq!(search(&store, vector, 64, 1), [i]);
    }
}

#[test]
fn no_crash_loses_a_long_vector_or_the_space_of_one() {
    let vectors = clustered(33, DIMS, 5);
    let sound = bulk_built(options(Metric::L2, DIMS), &vectors[..30]);
    let dead: HashSet<usize> = (0..30).filter(|i| i % 8 == 0).collect();
    let run = |store: &MemStore| {
        for (i, vector) in vectors.iter().enumerate().skip(30) {
            graph::insert(store, vector, tid(i))?;
        }
        vacuum_rows(store, &dead)
    };
    let mut at = 0;
    loop {
        let store = sound.clone();
        store.crash_after(at);
        let outcome = run(&store);
        store.recover();
        assert_eq!(problems(&store), [], "after {at} batches");
        vacuum_rows(&store, &dead).expect("vacuums");
        expect_no_waste(&store);
        for i in (0..30).filter(|i| !dead.contains(i)) {
            assert_eq!(search(&store, &vectors[i], 64, 1), [i], "after {at} batches");
        }
        if outcome.is_ok() {
            break;
        }
        assert_eq!(outcome, Err(Error::Crashed));
        at += 1;
    }
    assert!(at > 40, "only {at} batches");
}

#[test]
fn check_tells_of_a_vector_that_is_not_whole() {
    let vectors = clustered(20, DIMS, 6);
    let store = bulk_built(options(Metric::L2, DIMS), &vectors);
    // Behind the page of each element come its two tails.
    store.scribble(17, |page| page[4] += 1);
    let problems = problems(&store);
    let told: Vec<_> = problems.iter().map(|problem| problem.block).collect();
    assert_eq!(told, [Some(17), Some(16)], "{problems:?}");
    assert!(problems[0].what.contains("checksum"), "{problems:?}");
    assert!(problems[1].what.contains("not whole"), "{problems:?}");
    assert_eq!(search(&store, &vectors[1], 40, 1), [1]);
}
