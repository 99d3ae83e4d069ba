//! Builds with a device, here the CPU in its place.

use crate::support::*;
use gpu::{FaultProvider, Refusal};
use ivf::{Bulk, IndexOptions, Quantization};
use memmap2::MmapMut;
use pages::Error;
use pages::mem::MemStore;
use quant::Metric;
use space::Space;

fn built_with(
    cpu: &mut FaultProvider,
    options: IndexOptions,
    vectors: &[Vec<f32>],
    space: Space,
) -> Result<MemStore, Error> {
    let mut bulk = Bulk::new(options, space).expect("fits");
    for (i, vector) in vectors.iter().enumerate() {
        bulk.push(vector, tid(i)).expect("takes the row");
    }
    let store = MemStore::new();
    bulk.write_with(cpu, 2, &mut |_, _, _| true, &mut |body| {
        store.append(body);
        Ok(())
    })?;
    assert_eq!(problems(&store), []);
    Ok(store)
}

#[test]
fn lists_are_as_good_as_those_of_threads() {
    for kind in [
        (Metric::L2, Quantization::None),
        (Metric::Cosine, Quantization::Rabitq),
        (Metric::InnerProduct, Quantization::Sq8),
    ] {
        let (metric, options) = (kind.0, options(kind, 48, 60));
        let (vectors, queries) = (clustered(metric, 6_000, 48, 1), clustered(metric, 100, 48, 2));
        let mut cpu = FaultProvider::default();
        let store = built_with(&mut cpu, options, &vectors, Space::unlimited()).expect("builds");
        assert_eq!((cpu.jobs.len(), cpu.refusals.len()), (1, 0));
        assert_eq!((cpu.jobs[0].rows, cpu.jobs[0].centroids), (6_000, 60));
        let usual = built(options, &vectors);
        for count in [2, 6] {
            let found = recall(&store, metric, &vectors, &queries, probes(count), 10);
            let usual = recall(&usual, metric, &vectors, &queries, probes(count), 10);
            println!("{kind:?}, {count} probes: {found}, usual {usual}");
            assert!(found >= usual - 0.02, "{kind:?}, {count} probes: {found}, usual {usual}");
        }
    }
}

#[test]
fn after_a_failure_of_any_call_threads_build_the_index() {
    let options = options((Metric::L2, Quantization::None), 16, 12);
    let vectors = clustered(Metric::L2, 700, 16, 3);
    for fails in 0.. {
        let mut cpu = FaultProvider { fails: Some(fails), ..FaultProvider::default() };
        let store = built_with(&mut cpu, options, &vectors, Space::unlimited()).expect("builds");
        assert_eq!(search(&store, &vectors[5], all_lists(), usize::MAX).len(), 700);
        if cpu.refusals.is_empty() {
            assert!(fails > 8, "{fails}");
            break;
        }
        assert!(matches!(cpu.refusals[..], [Refusal::Device(_)]), "{:?}", cpu.refusals);
    }
}

#[test]
fn few_rows_make_an_index() {
    for count in [0, 1, 2, 9] {
        for lists in [0, 1, 5] {
            let options = options((Metric::L2, Quantization::None), 4, lists);
            let vectors = clustered(Metric::L2, count, 4, 4);
            let mut cpu = FaultProvider::default();
            let store =
                built_with(&mut cpu, options, &vectors, Space::unlimited()).expect("builds");
            assert_eq!(search(&store, &[0.0; 4], all_lists(), usize::MAX).len(), count);
        }
    }
}

#[test]
fn a_device_is_refused_where_it_does_not_serve() {
    let refusals = |metric, limit| {
        let options = options((metric, Quantization::None), 64, 10);
        let mut cpu = FaultProvider::default();
        let space = Space::new(limit, Box::new(MmapMut::map_anon));
        built_with(&mut cpu, options, &clustered(metric, 3_000, 64, 5), space).expect("builds");
        cpu.refusals
    };
    assert_eq!(refusals(Metric::Hamming, usize::MAX), [Refusal::Unsuited]);
    assert_eq!(refusals(Metric::L2, usize::MAX), []);
    // With less memory the sample is smaller.
    assert_eq!(refusals(Metric::L2, 1 << 20), []);
    let found = refusals(Metric::L2, 1 << 18);
    let [Refusal::Memory(bytes)] = found[..] else { panic!("{found:?}") };
    assert!(bytes > 1 << 18);
    assert_eq!(refusals(Metric::L2, bytes as usize), []);
}
