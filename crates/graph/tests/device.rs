//! Builds whose graph a device makes, here the CPU in its place.

use std::cell::Cell;

use crate::support::*;
use gpu::{DeviceError, FaultProvider, Provider, Refusal};
use graph::{Bulk, IndexOptions};
use pages::Error;
use pages::mem::MemStore;
use quant::Metric;
use space::Space;
use vectors::Form;

/// An index that a device helped to build; nothing is wrong with it.
fn device_built(options: IndexOptions, vectors: &[Vec<f32>]) -> MemStore {
    let mut cpu = FaultProvider::default();
    let store = written_with(&mut cpu, collected(options, vectors));
    assert_eq!((cpu.jobs.len(), cpu.refusals.len()), (1, 0));
    store
}

/// By one thread, so that both sides of a comparison are the same each time.
fn ordinarily_built(options: IndexOptions, vectors: &[Vec<f32>]) -> MemStore {
    written_by(1, collected(options, vectors))
}

fn written_with(provider: &mut dyn Provider, bulk: Bulk<'_>) -> MemStore {
    let store = MemStore::new();
    bulk.write_with(provider, 2, &mut |_, _, _| true, &mut |body| {
        store.append(body);
        Ok(())
    })
    .expect("builds");
    assert_eq!(problems(&store), []);
    store
}

/// Share of the ten nearest that searches of width `ef` find, not less than `usual` by more than `less`.
#[track_caller]
fn expect(
    metric: Metric,
    (device, ordinary): (&MemStore, &MemStore),
    (vectors, queries): (&[Vec<f32>], &[Vec<f32>]),
    ef: usize,
    what: &str,
) {
    let rows: Vec<usize> = (0..vectors.len()).collect();
    let found = recall(device, metric, vectors, &rows, queries, ef);
    let usual = recall(ordinary, metric, vectors, &rows, queries, ef);
    println!("{what}, ef {ef}: {found:.4}, usual {usual:.4}");
    assert!(found >= usual - 0.015, "{what}, ef {ef}: {found}, usual {usual}");
}

#[test]
fn as_much_is_found_as_after_an_ordinary_build() {
    let all = [Form::Halves, Form::Floats, Form::Sq8, Form::Rabitq];
    for (metric, dims, forms) in [
        (Metric::L2, 32, &all[..]),
        (Metric::Cosine, 96, &all[..1]),
        (Metric::InnerProduct, 48, &all[2..]),
    ] {
        let (vectors, queries) = (clustered(3_000, dims, 1), clustered(200, dims, 2));
        for &form in forms {
            let options = IndexOptions { form, ..options(metric, dims) };
            let (device, ordinary) =
                (device_built(options, &vectors), ordinarily_built(options, &vectors));
            for ef in [10, 40, 100] {
                let what = format!("{metric:?} {form:?}");
                expect(metric, (&device, &ordinary), (&vectors, &queries), ef, &what);
            }
        }
    }
}

#[test]
fn rows_of_any_distribution_are_found() {
    for data in distributions_asked() {
        if !data.metric.keeps_rotation() {
            continue;
        }
        let (vectors, queries) = (data.rows(2_000), data.queries(100));
        let options = IndexOptions { form: Form::Floats, ..options(data.metric, vectors[0].len()) };
        let (device, ordinary) =
            (device_built(options, &vectors), ordinarily_built(options, &vectors));
        expect(data.metric, (&device, &ordinary), (&vectors, &queries), 80, data.name);
    }
}

#[test]
fn few_and_equal_rows_are_linked() {
    for count in [0, 1, 2, 3, 15, 70] {
        let vectors = clustered(count, 5, 2);
        for copies in [1, 3] {
            let rows: Vec<Vec<f32>> = (0..copies).flat_map(|_| vectors.clone()).collect();
            let mut cpu = FaultProvider::default();
            let options = options(Metric::L2, 5);
            let store = written_with(&mut cpu, collected(options, &rows));
            assert_eq!(cpu.jobs.len(), usize::from(count > 0));
            let found = search(&store, &[0.0; 5], 10, usize::MAX);
            assert_eq!(found.len(), rows.len());
        }
    }
}

#[test]
fn rows_are_inserted_and_vacuumed_afterwards() {
    let vectors = clustered(1_500, 24, 3);
    let store = device_built(options(Metric::L2, 24), &vectors[..1_000]);
    for (i, vector) in vectors.iter().enumerate().skip(1_000) {
        graph::insert(&store, vector, tid(i)).expect("inserts");
    }
    let dead = (0..1_500).filter(|i| i % 3 == 0).collect();
    assert_eq!(vacuum_rows(&store, &dead), 500);
    assert_eq!(problems(&store), []);
    let mut found = search(&store, &vectors[0], 10, usize::MAX);
    found.sort_unstable();
    assert_eq!(found, (0..1_500).filter(|i| i % 3 != 0).collect::<Vec<_>>());
}

#[test]
fn the_same_rows_give_the_same_index() {
    let vectors = clustered(1_200, 16, 4);
    let pages = || {
        let mut pages = Vec::new();
        let bulk = collected(options(Metric::L2, 16), &vectors);
        bulk.write_with(&mut FaultProvider::default(), 2, &mut |_, _, _| true, &mut |body| {
            pages.push(body.to_vec());
            Ok(())
        })
        .expect("builds");
        pages
    };
    assert!(pages() == pages());
}

#[test]
fn after_a_failure_of_any_call_threads_build_the_index() {
    let vectors = clustered(600, 12, 5);
    let mut calls = 0;
    loop {
        let mut cpu = FaultProvider { fails: Some(calls), ..FaultProvider::default() };
        let store = written_with(&mut cpu, collected(options(Metric::L2, 12), &vectors));
        assert_eq!(search(&store, &vectors[7], 40, 1), [7]);
        if cpu.refusals.is_empty() {
            break;
        }
        let failed = |refusal: &Refusal| matches!(refusal, Refusal::Device(DeviceError::Failed(why)) if why.contains("was to"));
        assert!(cpu.refusals.len() == 1 && failed(&cpu.refusals[0]), "{:?}", cpu.refusals);
        calls += 1;
    }
    // Begin, upload, and for each scale: select, neighbors, prune.
    assert!(calls > 10, "{calls}");
}

#[test]
fn builds_are_cancelled_between_calls() {
    let vectors = clustered(3_000, 24, 6);
    let ticks = Cell::new(0);
    let build = |most: usize| {
        ticks.set(0);
        let bulk = collected(options(Metric::L2, 24), &vectors);
        let mut tick = |_, _, _| {
            ticks.set(ticks.get() + 1);
            ticks.get() <= most
        };
        bulk.write_with(&mut FaultProvider::default(), 2, &mut tick, &mut |_| Ok(()))
    };
    build(usize::MAX).expect("builds");
    let all = ticks.get();
    assert!(all > 20, "{all}");
    for most in (0..10).map(|i| i * all / 20) {
        assert!(matches!(build(most), Err(Error::Interrupted)), "after {most} of {all}");
    }
}

#[test]
fn a_device_is_refused_where_it_does_not_serve() {
    let refusals = |options: IndexOptions, space: Space<'static>, rows: usize| {
        let mut cpu = FaultProvider::default();
        let mut bulk = Bulk::new(options, space).expect("fits");
        for (i, vector) in clustered(rows, options.dims, 7).iter().enumerate() {
            bulk.push(vector, tid(i)).expect("takes the row");
        }
        written_with(&mut cpu, bulk);
        cpu.refusals
    };
    assert_eq!(refusals(options(Metric::L1, 8), Space::unlimited(), 300), [Refusal::Unsuited]);
    assert_eq!(refusals(options(Metric::L2, 8), Space::unlimited(), 300), []);
    let small = Space::new(1 << 20, Box::new(memmap2::MmapMut::map_anon));
    let found = refusals(options(Metric::L2, 64), small, 1_000);
    let [Refusal::Memory(bytes)] = found[..] else { panic!("{found:?}") };
    assert!(bytes > 1 << 20);
    let enough = Space::new(2 * bytes as usize, Box::new(memmap2::MmapMut::map_anon));
    assert_eq!(refusals(options(Metric::L2, 64), enough, 1_000), []);
}
