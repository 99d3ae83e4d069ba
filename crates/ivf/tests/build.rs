//! What builds promise.

use std::cell::Cell;

use crate::support::*;
use ivf::{Bulk, Phase, Quantization};
use memmap2::MmapMut;
use pages::mem::MemStore;
use pages::{Error, PageStore};
use quant::Metric;
use space::Space;

const DIMS: usize = 300;

fn pages(store: &MemStore) -> Vec<Vec<u8>> {
    let blocks = 0..store.blocks().expect("counts");
    blocks.map(|block| store.read(block).expect("reads").to_vec()).collect()
}

/// Wherever the rows lie, in memory, in the file, or some here and some there.
#[test]
fn memory_does_not_change_the_index() {
    let vectors = clustered(Metric::L2, 30_000, DIMS, 1);
    // As few lists as a sample is large enough for.
    let options = options((Metric::L2, Quantization::None), DIMS, 1);
    let expected = pages(&built(options, &vectors));
    let mut in_file = Vec::new();
    for limit in [usize::MAX, 20 << 20, 9 << 20, 1 << 20] {
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
    let options = options((Metric::L2, Quantization::Rabitq), 64, 200);
    for at in [Phase::Training, Phase::Assigning, Phase::Pages] {
        let mut bulk = Bulk::new(options, Space::unlimited()).expect("fits");
        for (i, vector) in vectors.iter().enumerate() {
            bulk.push(vector, tid(i)).expect("takes the row");
        }
        assert_eq!(bulk.len(), 20_000);
        let stopped = bulk.write(2, &mut |phase, _, _| phase != at, &mut |_| Ok(()));
        assert_eq!(stopped, Err(Error::Interrupted), "{at:?}");
    }
}

/// The sample depends on memory, so the lists do; but not what is in the index.
#[test]
fn little_memory_makes_a_smaller_sample() {
    let vectors = clustered(Metric::L2, 5_000, 64, 1);
    let options = options((Metric::L2, Quantization::Rabitq), 64, 20);
    for (limit, expected) in [(1 << 30, 2_560), (1 << 19, 753), (0, 320)] {
        let space = Space::new(limit, Box::new(MmapMut::map_anon));
        let mut bulk = Bulk::new(options, space).expect("fits");
        for (i, vector) in vectors.iter().enumerate() {
            bulk.push(vector, tid(i)).expect("takes the row");
        }
        let trained = bulk.write(2, &mut |_, _, _| true, &mut |_| Ok(())).expect("builds");
        assert_eq!(trained, expected, "{limit} bytes");
    }
}
