//! Crash windows: after any batch the next may be lost. What is left is sound, and every row whose
//! insert had ended is found.

use std::collections::HashSet;

use crate::support::*;
use graph::vacuum;
use pages::mem::MemStore;
use pages::{Error, HeapTid};
use quant::Metric;

const DIMS: usize = 24;

fn expect_rows(store: &MemStore, vectors: &[Vec<f32>], rows: impl Iterator<Item = usize>, at: u64) {
    assert_eq!(problems(store), [], "after {at} batches");
    for i in rows {
        assert_eq!(search(store, &vectors[i], 64, 1), [i], "after {at} batches");
    }
}

#[test]
fn inserts_survive_a_crash_at_any_batch() {
    let vectors = clustered(260, DIMS, 1);
    let sound = empty(options(Metric::L2, DIMS));
    for (i, vector) in vectors[..200].iter().enumerate() {
        graph::insert(&sound, vector, tid(i)).expect("inserts");
    }
    for at in 0..160 {
        let store = sound.clone();
        store.crash_after(at);
        let done = (200..260)
            .take_while(|&i| match graph::insert(&store, &vectors[i], tid(i)) {
                Ok(()) => true,
                Err(error) => {
                    assert_eq!(error, Error::Crashed);
                    false
                }
            })
            .count();
        store.recover();
        expect_rows(&store, &vectors, 0..200 + done, at);
        for (i, vector) in vectors.iter().enumerate().skip(200 + done) {
            // The row of the insert that crashed is dead; another takes its place.
            graph::insert(&store, vector, tid(i + 1_000)).expect("inserts");
        }
        assert_eq!(problems(&store), [], "after {at} batches and going on");
    }
}

#[test]
fn vacuum_survives_a_crash_at_any_batch() {
    let vectors = clustered(200, DIMS, 2);
    let sound = bulk_built(options(Metric::L2, DIMS), &vectors);
    let dead: HashSet<usize> = (0..200).filter(|i| i % 3 == 0).collect();
    let run = |store: &MemStore| {
        let mut is_dead = |tid: HeapTid| dead.contains(&row(tid));
        let (emptied, _) = vacuum::clear(store, &mut is_dead)?;
        vacuum::unlink(store, &emptied)?;
        vacuum::free(store, emptied)
    };
    let live = || (0..200).filter(|i| i % 3 != 0);
    let mut at = 0;
    loop {
        let store = sound.clone();
        store.crash_after(at);
        let outcome = run(&store);
        store.recover();
        expect_rows(&store, &vectors, live(), at);
        graph::insert(&store, &vectors[0], tid(777)).expect("inserts");
        run(&store).expect("vacuums");
        expect_rows(&store, &vectors, live(), at);
        assert_eq!(search(&store, &vectors[0], 64, 1), [777]);
        assert_eq!(graph::info(&store).expect("counts").dying, 0);
        if outcome.is_ok() {
            break;
        }
        assert_eq!(outcome, Err(Error::Crashed));
        at += 1;
    }
    assert!(at > 100, "only {at} batches");
}
