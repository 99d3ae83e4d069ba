//! What inserts and vacuums promise.

use std::collections::HashSet;

use crate::support::*;
use ivf::{Quantization, VacuumStats, info, insert, vacuum};
use pages::PageStore;
use pages::mem::{Eventful, Step};
use quant::Metric;

const DIMS: usize = 48;

fn insert_all(store: &impl PageStore, vectors: &[Vec<f32>], from: usize) {
    for (i, vector) in vectors.iter().enumerate().skip(from) {
        insert(store, vector, tid(i)).expect("inserts");
    }
}

fn sorted(mut rows: Vec<usize>) -> Vec<usize> {
    rows.sort_unstable();
    rows
}

#[test]
fn inserted_rows_are_found() {
    for kind in KINDS {
        for built_rows in [0, 5, 500] {
            let vectors = clustered(kind.0, 1_500, DIMS, 1);
            let store = built(options(kind, DIMS, 10), &vectors[..built_rows]);
            insert_all(&store, &vectors, built_rows);
            assert_eq!(problems(&store), [], "{kind:?} {built_rows}");
            let found = search(&store, &vectors[7], all_lists(), usize::MAX);
            assert_eq!(sorted(found), (0..1_500).collect::<Vec<_>>(), "{kind:?} {built_rows}");
            let queries = clustered(kind.0, 20, DIMS, 2);
            let share = recall(&store, kind.0, &vectors, &queries, all_lists(), 10);
            assert!(share >= 0.985, "{kind:?} {built_rows}: {share}");
            assert_eq!(info(&store).expect("counts").unwritten, 0);
        }
    }
}

#[test]
fn an_index_grown_tenfold_finds_as_much_as_a_new_one() {
    let kind = (Metric::L2, Quantization::Rabitq);
    let vectors = clustered(kind.0, 5_000, DIMS, 1);
    let queries = clustered(kind.0, 40, DIMS, 2);
    let grown = built(options(kind, DIMS, 40), &vectors[..500]);
    insert_all(&grown, &vectors, 500);
    let new = built(options(kind, DIMS, 40), &vectors);
    let of = |store| recall(store, kind.0, &vectors, &queries, probes(6), 10);
    assert!(of(&grown) >= of(&new) - 0.02, "{} {}", of(&grown), of(&new));
}

#[test]
fn an_insert_writes_one_batch() {
    let kind = (Metric::L2, Quantization::Rabitq);
    let vectors = clustered(kind.0, 3_000, DIMS, 1);
    let store = built(options(kind, DIMS, 10), &vectors[..500]);
    let before = store.commits();
    insert_all(&store, &vectors, 500);
    let batches = store.commits() - before;
    // Another one for each page of blocks that a list needs.
    assert!(batches <= 2_500 + 60, "{batches}");
}

#[test]
fn vacuum_forgets_the_dead_and_makes_room() {
    for kind in KINDS {
        let vectors = clustered(kind.0, 2_000, DIMS, 1);
        let store = built(options(kind, DIMS, 10), &vectors[..1_000]);
        insert_all(&store, &vectors, 1_000);
        let pages = store.blocks().expect("counts");
        for round in 0..3 {
            let stats = vacuum(&store, &mut |tid| row(tid) % 3 == round).expect("vacuums");
            assert_eq!(stats.removed, (0..2_000).filter(|i| i % 3 == round).count() as u64);
            assert_eq!(problems(&store), [], "{kind:?}");
            let found = search(&store, &vectors[7], all_lists(), usize::MAX);
            let left: Vec<usize> = (0..2_000).filter(|i| i % 3 != round).collect();
            assert_eq!(sorted(found), left, "{kind:?}");
            assert_eq!(info(&store).expect("counts").meta.rows, stats.remaining);
            for i in (0..2_000).filter(|i| i % 3 == round) {
                insert(&store, &vectors[i], tid(i)).expect("inserts");
            }
            assert_eq!(problems(&store), [], "{kind:?}");
            assert_eq!(store.blocks().expect("counts"), pages, "{kind:?}: the index grew");
        }
        let nothing = vacuum(&store, &mut |_| false).expect("vacuums");
        assert_eq!(nothing, VacuumStats { removed: 0, remaining: 2_000 });
        vacuum(&store, &mut |_| true).expect("vacuums");
        assert_eq!(search(&store, &vectors[7], all_lists(), usize::MAX), []);
    }
}

/// Whatever others insert or vacuum between two steps of an insert, no row is lost or found twice.
#[test]
fn others_may_be_faster() {
    let vectors = clustered(Metric::L2, 400, DIMS, 1);
    for rows in [0, 3, 30, 31, 32, 63, 64, 200] {
        // With a row inserted before, there is a run of vectors that was begun.
        for (others, before) in [(1, 0), (1, 1), (2, 1), (33, 0), (100, 1)] {
            for left in 0..2 {
                let store =
                    built(options((Metric::L2, Quantization::Rabitq), DIMS, 1), &vectors[..rows]);
                insert_all(&store, &vectors[..240 + before], 240);
                let event = || {
                    insert_all(&store, &vectors[..300 + others], 300);
                    vacuum(&store, &mut |tid| row(tid) % 4 == 1).expect("vacuums");
                };
                let eventful = Eventful::once(&store, &[Step::Batch], left, event);
                insert(&eventful, &vectors[250], tid(250)).expect("inserts");
                let happened = eventful.happened();
                assert_eq!(problems(&store), [], "{rows} {others}");
                let found = search(&store, &vectors[7], all_lists(), usize::MAX);
                let expected: HashSet<usize> = (0..rows)
                    .chain(240..240 + before)
                    .chain((300..300 + others).filter(|_| happened))
                    .filter(|i| !happened || i % 4 != 1)
                    .chain([250])
                    .collect();
                assert_eq!(found.len(), expected.len(), "{rows} {others}");
                assert_eq!(found.into_iter().collect::<HashSet<_>>(), expected);
            }
        }
    }
}
