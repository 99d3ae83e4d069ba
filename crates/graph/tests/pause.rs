//! Whatever takes long can be stopped: no verb reads many pages without asking its host, and each
//! stops when told to.

mod support;

use graph::{Hnsw, Scan, calibrate, check, info, insert, vacuum};
use pages::mem::MemStore;
use pages::{Error, Form, Result};
use quant::Metric;
use support::{bulk_built, clustered, options, problems, row, scan_options, tid};

/// Pages that may be read between two pauses.
const MOST: u64 = 64;
const ROWS: usize = 1_500;
const DIMS: usize = 300;

type Verb<'a> = &'a dyn Fn(&MemStore) -> Result<()>;

/// Has each verb work on a copy of an index, some of whose vectors come very often.
fn each_verb(metric: Metric, form: Form, act: impl Fn(&str, &MemStore, Verb<'_>)) {
    let mut vectors = clustered(ROWS, DIMS, 1);
    for i in (0..ROWS).step_by(2) {
        vectors[i] = vectors[0].clone();
    }
    if metric.is_of_bits() {
        vectors.iter_mut().flatten().for_each(|x| *x = f32::from(*x > 0.0));
    }
    let store = bulk_built(graph::IndexOptions { form, ..options(metric, DIMS) }, &vectors);
    let vector = &vectors[1];
    let verbs: [(&str, Verb<'_>); 5] = [
        ("scan", &|store| {
            let mut scan = Scan::new(Hnsw::open(store)?, Some(vector), scan_options(40));
            while scan.next(store)?.is_some() {}
            Ok(())
        }),
        ("insert", &|store| insert(store, vector, tid(ROWS))),
        ("vacuum", &|store| {
            let (emptied, _) = vacuum::clear(store, &mut |tid| row(tid) % 7 == 1)?;
            vacuum::unlink(store, &emptied)?;
            vacuum::free(store, emptied)
        }),
        ("check", &|store| {
            check(store, &|| u32::MAX, &mut |problem| panic!("{problem:?}"))?;
            info(store).map(|_| ())
        }),
        ("calibrate", &|store| calibrate(store)),
    ];
    for (name, verb) in verbs {
        act(name, &store.clone(), verb);
    }
}

#[test]
fn no_verb_reads_many_pages_without_a_pause() {
    let kinds = [
        (Metric::L2, Form::Halves),
        (Metric::Cosine, Form::Rabitq),
        // Neighbors carry no codes: their records are read.
        (Metric::L1, Form::Floats),
        (Metric::Hamming, Form::Bits),
    ];
    for (metric, form) in kinds {
        each_verb(metric, form, |name, store, verb| {
            verb(store).expect("works");
            assert!(store.longest_run() <= MOST, "{metric:?}, {name}: {}", store.longest_run());
        });
    }
}

#[test]
fn each_verb_stops_when_told_to() {
    each_verb(Metric::L2, Form::Halves, |name, store, verb| {
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
