//! Whatever takes long can be stopped: no verb reads many pages without asking its host, and each
//! stops when told to.

use crate::support::{KINDS, all_lists, built, clustered, options, problems, row, tid};
use ivf::{Ivf, Quantization, Rebalance, Scan, calibrate, check, info, insert, rebalance, vacuum};
use pages::mem::MemStore;
use pages::{Error, Result};
use quant::Metric;

/// Pages that may be read between two pauses.
const MOST: u64 = 64;
const ROWS: usize = 3_000;
/// Few vectors fit a page.
const DIMS: usize = 500;

type Verb<'a> = &'a dyn Fn(&MemStore) -> Result<()>;

/// Has each verb work on a copy of the index.
fn each_verb(
    kind: (Metric, Quantization),
    store: &MemStore,
    act: impl Fn(&str, &MemStore, Verb<'_>),
) {
    let vector = &clustered(kind.0, 1, DIMS, 5)[0];
    let verbs: [(&str, Verb<'_>); 6] = [
        ("scan", &|store| {
            let mut scan = Scan::new(Ivf::open(store)?, Some(vector), all_lists());
            while scan.next(store)?.is_some() {}
            Ok(())
        }),
        ("insert", &|store| insert(store, vector, tid(ROWS))),
        ("vacuum", &|store| vacuum(store, &mut |tid| row(tid) % 7 == 1).map(|_| ())),
        ("rebalance", &|store| {
            rebalance(store, &Rebalance { lists: 20, work: u64::MAX }).map(|_| ())
        }),
        ("check", &|store| {
            check(store, &|| u32::MAX, &mut |problem| panic!("{problem:?}"))?;
            info(store).map(|_| ())
        }),
        ("calibrate", &|store| calibrate(store, ROWS as u64)),
    ];
    for (name, verb) in verbs {
        act(name, &store.clone(), verb);
    }
}

#[test]
fn no_verb_reads_many_pages_without_a_pause() {
    for kind in KINDS {
        // Rows in long lists, and a long list of lists.
        for lists in [2, 1_000] {
            let vectors = clustered(kind.0, ROWS, DIMS, 1);
            let store = built(options(kind, DIMS, lists), &vectors[..1_000]);
            let more = if lists == 2 { &vectors[1_000..] } else { &[] };
            for (i, vector) in more.iter().enumerate() {
                insert(&store, vector, tid(1_000 + i)).expect("inserts");
            }
            each_verb(kind, &store, |name, store, verb| {
                verb(store).expect("works");
                assert!(store.longest_run() <= MOST, "{kind:?}, {name}: {}", store.longest_run());
            });
        }
    }
}

#[test]
fn each_verb_stops_when_told_to() {
    let kind = KINDS[0];
    let vectors = clustered(kind.0, ROWS, DIMS, 1);
    let store = built(options(kind, DIMS, 2), &vectors);
    each_verb(kind, &store, |name, store, verb| {
        for pauses in [0, 1, 20, 200] {
            let store = store.clone();
            store.interrupt_after(pauses);
            let result = verb(&store);
            assert!(result.is_ok() || result == Err(Error::Interrupted), "{name}: {result:?}");
            assert!(result.is_err() || pauses > 0 || name == "insert", "{name}");
            assert_eq!(problems(&store.clone()), [], "{name}, {pauses} pauses");
        }
    });
}
