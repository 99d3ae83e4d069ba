//! Any large allocation of any verb may be refused: that is an error, never the end of the process,
//! and the index stays sound.

mod support;

use ivf::{
    Bulk, Ivf, Quantization, Rebalance, Scan, calibrate, check, info, insert, rebalance, vacuum,
};
use memory::refusing::{Refusing, alone, refuse_each};
use pages::Result;
use pages::mem::MemStore;
use quant::Metric;
use space::Space;
use support::{KINDS, all_lists, built, clustered, options, problems, row, tid};

#[global_allocator]
static ALLOCATOR: Refusing = Refusing;

const ROWS: usize = 2_500;
const DIMS: usize = 16;
/// Enough for two levels of k-means.
const LISTS: usize = 70;

/// All large allocations of a build are refused; of other verbs, so many.
const ALL: usize = usize::MAX;
const MOST: usize = 200;

const FEW: [(Metric, Quantization); 3] = [
    (Metric::L2, Quantization::Rabitq),
    (Metric::InnerProduct, Quantization::None),
    (Metric::Hamming, Quantization::None),
];

#[test]
fn builds() {
    let _alone = alone();
    for kind in [KINDS[1], KINDS[3], KINDS[8], KINDS[9]] {
        let vectors = clustered(kind.0, ROWS, DIMS, 1);
        let refused = refuse_each(ALL, || -> Result<()> {
            let mut bulk = Bulk::new(options(kind, DIMS, LISTS), Space::unlimited())?;
            for (i, vector) in vectors.iter().enumerate() {
                bulk.push(vector, tid(i))?;
            }
            bulk.write(2, &mut |_, _, _| true, &mut |_| Ok(())).map(|_| ())
        });
        assert!(refused > 20, "{kind:?}: {refused}");
    }
}

/// Has the first allocations of `work` refused on copies of an index of `kind` with so many lists, which
/// stays sound.
fn refuse_on_copies(
    kind: (Metric, Quantization),
    lists: usize,
    work: impl Fn(&MemStore) -> Result<()>,
) -> usize {
    let store = built(options(kind, DIMS, lists), &clustered(kind.0, ROWS, DIMS, 1));
    let mut copies = Vec::new();
    let refused = refuse_each(MOST, || {
        copies.push(store.clone());
        copies.last().map_or(Ok(()), &work)
    });
    for copy in &copies {
        assert_eq!(problems(copy), [], "{kind:?}");
    }
    refused
}

#[test]
fn inserts() {
    let _alone = alone();
    for kind in FEW {
        let vector = clustered(kind.0, 1, DIMS, 5).remove(0);
        // Each list is a row: the list of lists is long.
        let refused = refuse_on_copies(kind, ROWS, |store| insert(store, &vector, tid(ROWS)));
        assert!(refused > 0, "{kind:?}");
    }
}

#[test]
fn scans() {
    let _alone = alone();
    for kind in FEW {
        let query = clustered(kind.0, 1, DIMS, 5).remove(0);
        let refused = refuse_on_copies(kind, 2, |store| {
            let mut scan = Scan::new(Ivf::open(store)?, Some(&query), all_lists());
            while scan.next(store)?.is_some() {}
            Ok(())
        });
        assert!(refused > 2, "{kind:?}");
    }
}

#[test]
fn vacuums() {
    let _alone = alone();
    for kind in FEW {
        let refused = refuse_on_copies(kind, ROWS, |store| {
            vacuum(store, &mut |tid| row(tid).is_multiple_of(3)).map(|_| ())
        });
        assert!(refused > 0, "{kind:?}");
    }
}

#[test]
fn rebalances() {
    let _alone = alone();
    for kind in FEW {
        let refused = refuse_on_copies(kind, 4, |store| {
            rebalance(store, &Rebalance { lists: 10, work: u64::MAX }).map(|_| ())
        });
        assert!(refused > 5, "{kind:?}");
    }
}

#[test]
fn calibrates() {
    let _alone = alone();
    let kind = FEW[0];
    let refused = refuse_on_copies(kind, 2, |store| calibrate(store, ROWS as u64));
    assert!(refused > 5, "{kind:?}");
}

#[test]
fn checks() {
    let _alone = alone();
    for kind in FEW {
        let refused = refuse_on_copies(kind, 2, |store| {
            check(store, &|| u32::MAX, &mut |problem| panic!("{problem:?}"))?;
            info(store).map(|_| ())
        });
        assert!(refused > 0, "{kind:?}");
    }
}
