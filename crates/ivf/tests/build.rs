//! What builds promise.

mod support;

use std::cell::Cell;

use ivf::{Bulk, Phase};
use memmap2::MmapMut;
use pages::mem::MemStore;
use pages::{Error, PageStore};
use quant::Metric;
use space::Space;
use support::*;

const DIMS: usize = 300;

fn pages(store: &MemStore) -> Vec<Vec<u8>> {
    let blocks = 0..store.blocks().expect("counts");
    blocks.map(|block| store.read(block).expect("reads").to_vec()).collect()
}

/// Wherever the rows lie, in memory, in the file, or some here and some there.
#[test]
fn memory_does_not_change_the_index() {
    let vectors = clustered(Metric::L2, 30_000, DIMS, 1);
    let options = options((Metric::L2, false), DIMS, 3);
    let expected = pages(&built(options, &vectors));
    let mut in_file = Vec::new();
    for limit in [usize::MAX, 20 << 20, 9 << 20, 0] {
        let mapped = Cell::new(0);
        let map_file = |bytes| {
            mapped.set(mapped.get() + bytes);
            MmapMut::map_anon(bytes)
        };
        let store = built_in(options, &vectors, Space::new(limit, Box::new(map_file)));
        assert!(pages(&store) == expected, "{limit} bytes");
        in_file.push(mapped.get());
    }
    assert!(in_file[0] == 0 && in_file.is_sorted() && in_file[1] > 0, "{in_file:?}");
}

#[test]
fn a_build_can_be_stopped() {
    let vectors = clustered(Metric::L2, 20_000, 64, 1);
    let options = options((Metric::L2, true), 64, 200);
    let train = |tick: &mut dyn FnMut(Phase, usize, usize) -> bool| {
        Bulk::train(options, vectors.concat(), 2, Space::unlimited(), tick)
    };
    assert_eq!(train(&mut |_, _, _| false).err(), Some(Error::Interrupted));
    let mut bulk = train(&mut |_, _, _| true).expect("trains");
    assert_eq!((bulk.lists(), bulk.is_empty()), (200, true));
    for (i, vector) in vectors.iter().enumerate() {
        bulk.push(vector, tid(i)).expect("takes the row");
    }
    assert_eq!(bulk.len(), 20_000);
    let stopped = bulk.write(&mut |phase, _, _| phase != Phase::Pages, &mut |_| Ok(()));
    assert_eq!(stopped, Err(Error::Interrupted));
}
