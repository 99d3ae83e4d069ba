//! Whatever takes long can be stopped: no verb reads many pages without asking its host, and each
//! stops when told to.

use crate::support::{bulk_built, clustered, options, problems, row, scan_options, tid};
use graph::{Hnsw, Scan, calibrate, check, info, insert, vacuum};
use pages::mem::MemStore;
use pages::{Error, Result};
use quant::Metric;
use vectors::Form;

/// Pages that may be read between two pauses.
const MOST: u64 = 64;

/// An index that verbs work on; every other of its rows has the same vector.
#[derive(Debug, Clone, Copy)]
struct Kind {
    metric: Metric,
    form: Form,
    rows: usize,
    dims: usize,
}

type Verb<'a> = &'a dyn Fn(&MemStore) -> Result<()>;

/// Has each verb work on a copy of an index.
fn each_verb(kind: Kind, act: impl Fn(&str, &MemStore, Verb<'_>)) {
    let Kind { metric, form, rows, dims } = kind;
    let mut vectors = clustered(rows, dims, 1);
    for i in (0..rows).step_by(2) {
        vectors[i] = vectors[0].clone();
    }
    if metric.is_of_bits() {
        vectors.iter_mut().flatten().for_each(|x| *x = f32::from(*x > 0.0));
    }
    let store = bulk_built(graph::IndexOptions { form, ..options(metric, dims) }, &vectors);
    let vector = &vectors[1];
    let verbs: [(&str, Verb<'_>); 5] = [
        ("scan", &|store| {
            let mut scan = Scan::new(Hnsw::open(store)?, Some(vector), scan_options(40));
            while scan.next(store)?.is_some() {}
            Ok(())
        }),
        ("insert", &|store| insert(store, vector, tid(rows))),
        ("vacuum", &|store| {
            let (emptied, _) = vacuum::clear(store, &mut |tid| row(tid) % 7 == 1)?;
            vacuum::unlink(store, &emptied)?;
            vacuum::free(store, emptied)
        }),
        ("check", &|store| {
            check(store, &|| u32::MAX, &mut |problem| panic!("{problem:?}"))?;
            info(store).map(|_| ())
        }),
        ("calibrate", &|store| calibrate(store).map(drop)),
    ];
    for (name, verb) in verbs {
        act(name, &store.clone(), verb);
    }
}

#[test]
fn no_verb_reads_many_pages_without_a_pause() {
    let kind = |metric, form| Kind { metric, form, rows: 1_500, dims: 300 };
    let kinds = [
        kind(Metric::L2, Form::Halves),
        kind(Metric::Cosine, Form::Rabitq),
        // Neighbors carry no codes: their records are read.
        kind(Metric::L1, Form::Floats),
        kind(Metric::Hamming, Form::Bits),
        // Equal rows fill many records.
        Kind { rows: 8_000, dims: 8, ..kind(Metric::L2, Form::Halves) },
        // No page holds a vector.
        Kind { rows: 200, dims: 5_000, ..kind(Metric::L2, Form::Floats) },
    ];
    for kind in kinds {
        each_verb(kind, |name, store, verb| {
            verb(store).expect("works");
            assert!(store.longest_run() <= MOST, "{kind:?}, {name}: {}", store.longest_run());
        });
    }
}

#[test]
fn each_verb_stops_when_told_to() {
    let kind = Kind { metric: Metric::L2, form: Form::Halves, rows: 1_500, dims: 300 };
    each_verb(kind, |name, store, verb| {
        for pauses in [0, 1, 20, 200] {
            let store = store.clone();
            store.interrupt_after(pauses);
            let result = verb(&store);
            assert!(result.is_ok() || result == Err(Error::Interrupted), "{name}: {result:?}");
            assert!(result.is_err() || pauses > 0, "{name}");
            assert_eq!(problems(&store.clone()), [], "{name}, {pauses} pauses");
        }
    });
}
