//! Builds whose memory is bounded.

mod support;

use ivf::{Bulk, Quantization};
use memmap2::MmapMut;
use memory::refusing::{Refusing, alone, peak};
use quant::Metric;
use space::Space;
use support::{clustered, options, tid};

#[global_allocator]
static ALLOCATOR: Refusing = Refusing;

/// Half of the memory is for rows, which do not lie on the heap; the heap stays within the other.
#[test]
fn a_build_stays_within_its_memory() {
    let _alone = alone();
    for (dims, lists, quantization) in [
        (256, 16, Quantization::Rabitq),
        (256, 70, Quantization::None),
        (1_000, 16, Quantization::Sq8),
    ] {
        let kind = (Metric::L2, quantization);
        let vectors = clustered(kind.0, 6_000, dims, 1);
        for limit in [8 << 20, 16 << 20] {
            let (used, ()) = peak(|| {
                let space = Space::new(limit, Box::new(MmapMut::map_anon));
                let mut bulk = Bulk::new(options(kind, dims, lists), space).expect("fits");
                for (i, vector) in vectors.iter().enumerate() {
                    bulk.push(vector, tid(i)).expect("takes the row");
                }
                bulk.write(2, &mut |_, _, _| true, &mut |_| Ok(())).expect("builds");
            });
            assert!(used <= limit / 2, "{dims} dims, {lists} lists: {used} of {limit}");
        }
    }
}
