//! What reorganizations promise: lists follow the rows, and no row is ever out of sight.

use std::sync::Arc;

use crate::support::*;
use ivf::{
    Ivf, Quantization, Rebalance, Rebalanced, Scan, ScanOptions, check, info, insert, rebalance,
};
use pages::mem::{Eventful, MemStore, Step};
use pages::{Error, PageStore};
use quant::{Metric, SplitMix64};

const DIMS: usize = 48;

fn wanted(lists: u64) -> Rebalance {
    Rebalance { lists, work: u64::MAX }
}

/// Vectors around centers that move away from where they were, row by row.
fn drifting(metric: Metric, count: usize, seed: u64) -> Vec<Vec<f32>> {
    let mut vectors = clustered(Metric::L2, count, DIMS, seed);
    let mut random = SplitMix64::new(5);
    let ways: Vec<Vec<f32>> =
        (0..20).map(|_| (0..DIMS).map(|_| 2.0 * random.next_normal()).collect()).collect();
    for (i, vector) in vectors.iter_mut().enumerate() {
        let far = i as f32 / count as f32;
        vector.iter_mut().zip(&ways[i % 20]).for_each(|(x, way)| *x += far * way);
        if metric == Metric::Hamming {
            vector.iter_mut().for_each(|x| *x = f32::from(*x > 0.0));
        }
    }
    vectors
}

fn everything(store: &MemStore, vectors: &[Vec<f32>]) -> Vec<usize> {
    let mut found = search(store, &vectors[7], all_lists(), usize::MAX);
    found.sort_unstable();
    found
}

#[test]
fn lists_follow_rows_that_drift() {
    for kind in KINDS {
        let vectors = drifting(kind.0, 6_000, 1);
        let grown = built(options(kind, DIMS, 40), &vectors[..600]);
        for (i, vector) in vectors.iter().enumerate().skip(600) {
            insert(&grown, vector, tid(i)).expect("inserts");
            if i % 1_000 == 0 {
                rebalance(&grown, &wanted(40)).expect("reorganizes");
                assert_eq!(problems(&grown), [], "{kind:?} {i}");
            }
        }
        rebalance(&grown, &wanted(40)).expect("reorganizes");
        assert_eq!(problems(&grown), [], "{kind:?}");
        assert_eq!(everything(&grown, &vectors), (0..6_000).collect::<Vec<_>>(), "{kind:?}");
        let new = built(options(kind, DIMS, 40), &vectors);
        let queries: Vec<_> = drifting(kind.0, 2_000, 2).into_iter().step_by(20).collect();
        let share = |store| recall(store, kind.0, &vectors, &queries, probes(6), 10);
        let (of_grown, of_new) = (share(&grown), share(&new));
        assert!(of_grown >= of_new - 0.02, "{kind:?}: {of_grown} {of_new}");
        let entries = |store: &MemStore| -> u64 {
            let of = |query| {
                let mut scan = Scan::new(Ivf::open(store).expect("opens"), Some(query), probes(6));
                while scan.next(store).expect("scans").is_some() {}
                scan.stats().entries
            };
            queries.iter().map(|query| of(query)).sum()
        };
        let (of_grown, of_new) = (entries(&grown), entries(&new));
        assert!(of_grown * 3 <= of_new * 5, "{kind:?}: {of_grown} entries, {of_new}");
    }
}

#[test]
fn an_index_built_on_nothing_gets_lists() {
    for kind in KINDS {
        let vectors = clustered(kind.0, 3_000, DIMS, 1);
        let store = built(options(kind, DIMS, 20), &[]);
        for (i, vector) in vectors.iter().enumerate() {
            insert(&store, vector, tid(i)).expect("inserts");
        }
        assert_eq!(info(&store).expect("counts").meta.lists, 1);
        for _ in 0..4 {
            rebalance(&store, &wanted(20)).expect("reorganizes");
            assert_eq!(problems(&store), [], "{kind:?}");
            assert_eq!(everything(&store, &vectors), (0..3_000).collect::<Vec<_>>(), "{kind:?}");
        }
        assert!((10..=40).contains(&info(&store).expect("counts").meta.lists), "{kind:?}");
    }
}

#[test]
fn lists_come_to_rest_when_nothing_changes() {
    for kind in KINDS {
        let mut vectors = clustered(kind.0, 500, DIMS, 3);
        // Far from all others: a list that holds nothing else is short, and is needed.
        vectors[77] = vec![1e5; DIMS];
        let store = built(options(kind, DIMS, 0), &vectors);
        let changes = [(); 5].map(|()| {
            let done = rebalance(&store, &wanted(0)).expect("reorganizes");
            done.split + done.merged + done.renewed
        });
        assert_eq!(changes[2..], [0; 3], "{kind:?}: {changes:?}");
        assert!(info(&store).expect("counts").meta.lists > 15, "{kind:?}");
    }
}

#[test]
fn a_search_amid_a_reorganization_finds_each_row_once() {
    for kind in [(Metric::L2, Quantization::Rabitq), (Metric::Cosine, Quantization::None)] {
        let (sound, vectors, rows) = unbalanced(kind, DIMS);
        let next = ScanOptions {
            probes: 2,
            max_probes: usize::MAX,
            strict: false,
            wanted: 0,
            memory: usize::MAX,
        };
        for options in [all_lists(), next] {
            for left in 0.. {
                let store = sound.clone();
                let mut done = [(); 2].map(|()| Rebalanced::default());
                let event = || {
                    done = [8, 2].map(|n| rebalance(&store, &wanted(n)).expect("reorganizes"));
                };
                let eventful = Eventful::once(&store, &[Step::Read, Step::Batch], left, event);
                let mut found = search(&eventful, &vectors[7], options, usize::MAX);
                found.sort_unstable();
                assert_eq!(found, rows, "{kind:?} {left}");
                if !eventful.happened() {
                    assert!(left > 20, "{left} pages");
                    break;
                }
                assert!(done[0].split > 0 && done[1].merged > 0, "{done:?}");
            }
        }
    }
}

#[test]
fn a_reorganization_loses_no_row_that_comes_meanwhile() {
    for kind in [(Metric::L2, Quantization::Rabitq), (Metric::InnerProduct, Quantization::None)] {
        let (sound, vectors, rows) = unbalanced(kind, DIMS);
        for left in 0.. {
            let store = sound.clone();
            let event = || {
                assert_eq!(problems(&store), [], "{kind:?} {left}");
                assert_eq!(everything(&store, &vectors), rows, "{kind:?} {left}");
                for (i, vector) in vectors.iter().enumerate().skip(1_000) {
                    insert(&store, vector, tid(i)).expect("inserts");
                }
                let all: Vec<usize> = rows.iter().copied().chain(1_000..1_200).collect();
                assert_eq!(everything(&store, &vectors), all, "{kind:?} {left}");
            };
            let eventful = Eventful::once(&store, &[Step::Batch], left, event);
            rebalance(&eventful, &wanted(8)).expect("reorganizes");
            let count = if eventful.happened() { 1_200 } else { 1_000 };
            assert_eq!(problems(&store), [], "{kind:?} {left}");
            let all: Vec<usize> = rows.iter().copied().chain(1_000..count).collect();
            assert_eq!(everything(&store, &vectors), all, "{kind:?} {left}");
            if count == 1_000 {
                assert!(left > 20, "{left} batches");
                break;
            }
        }
    }
}

#[test]
fn an_insert_amid_a_reorganization_is_not_lost() {
    let kind = (Metric::L2, Quantization::Rabitq);
    let (sound, vectors, rows) = unbalanced(kind, DIMS);
    for i in 1_000..1_020 {
        for left in 0.. {
            let store = sound.clone();
            let event = || assert!(rebalance(&store, &wanted(8)).is_ok());
            let eventful = Eventful::once(&store, &[Step::Read, Step::Batch], left, event);
            insert(&eventful, &vectors[i], tid(i)).expect("inserts");
            assert_eq!(problems(&store), [], "{i} {left}");
            let all: Vec<usize> = rows.iter().copied().chain([i]).collect();
            assert_eq!(everything(&store, &vectors), all, "{i} {left}");
            if !eventful.happened() {
                break;
            }
        }
    }
}

#[test]
fn threads_insert_and_search_while_lists_are_reorganized() {
    for kind in [(Metric::L2, Quantization::Rabitq), (Metric::L2, Quantization::None)] {
        let vectors = &clustered(kind.0, 4_000, DIMS, 1);
        let store = built(options(kind, DIMS, 10), &vectors[..500]);
        let store = &SharedStore::of(&store, 4_000);
        // Held by each writer, and dropped at its end, also by a panic.
        let writes = Arc::new(());
        let writing = &Arc::downgrade(&writes);
        std::thread::scope(|scope| {
            for (writer, writes) in [writes.clone(), writes].into_iter().enumerate() {
                scope.spawn(move || {
                    let _writes = writes;
                    for i in (500 + writer..4_000).step_by(2) {
                        insert(store, &vectors[i], tid(i)).expect("inserts");
                    }
                });
            }
            scope.spawn(move || {
                while writing.strong_count() > 0 {
                    rebalance(store, &wanted(10)).expect("reorganizes");
                    // Lists come and go all the time.
                    rebalance(store, &wanted(30)).expect("reorganizes");
                }
            });
            for query in &vectors[..2] {
                scope.spawn(move || {
                    while writing.strong_count() > 0 {
                        let mut found = search(store, query, all_lists(), usize::MAX);
                        found.sort_unstable();
                        assert!(found.windows(2).all(|pair| pair[0] < pair[1]), "a row twice");
                        assert!(found[..500].iter().copied().eq(0..500), "a row lost");
                        check(store, &|| u32::MAX, &mut |problem| panic!("{problem:?}"))
                            .expect("checks");
                    }
                });
            }
        });
    }
}

/// Wherever there is no more room, lists are left as they are or as they are to become, and take rows.
#[test]
fn a_full_store_ends_it_and_leaves_the_index_sound() {
    for kind in [(Metric::L2, Quantization::Rabitq), (Metric::Hamming, Quantization::None)] {
        let (sound, vectors, rows) = unbalanced(kind, 20);
        let wanted = Rebalance { lists: 8, work: u64::MAX };
        let (mut cut_short, blocks) = (0, sound.blocks().expect("counts"));
        for room in 0.. {
            let store = sound.clone();
            store.limit(Some(blocks + room));
            let done = rebalance(&store, &wanted).expect("ends without an error");
            assert_eq!(problems(&store), [], "{kind:?}, {room} pages");
            let mut found = search(&store, &vectors[1], all_lists(), usize::MAX);
            found.sort_unstable();
            assert_eq!(found, rows, "{kind:?}, {room} pages");
            // No list is left closed: where there is a vacant entry, it is taken.
            let full = insert(&store, &vectors[1_100], tid(1_100));
            assert!(matches!(full, Ok(()) | Err(Error::NoRoom(_))), "{full:?}");
            store.limit(None);
            insert(&store, &vectors[1_101], tid(1_101)).expect("inserts");
            let again = rebalance(&store, &wanted).expect("reorganizes");
            assert_eq!((again.no_room, problems(&store)), (None, vec![]));
            if done.no_room.is_none() {
                assert!(done.split > 0);
                break;
            }
            cut_short += 1;
        }
        assert!(cut_short >= 2, "{kind:?}: {cut_short}");
    }
}
