//! Any large allocation of any verb may be refused: that is an error, never the end of the process,
//! and the index stays sound.

mod support;

use graph::{Bulk, Hnsw, IndexOptions, Scan, calibrate, check, info, vacuum};
use memory::refusing::{Refusing, alone, refuse_each};
use pages::Result;
use pages::mem::MemStore;
use quant::Metric;
use space::Space;
use support::{bulk_built, clustered, problems, row, scan_options, tid};

#[global_allocator]
static ALLOCATOR: Refusing = Refusing;

const ROWS: usize = 9_000;
const DIMS: usize = 16;
/// Large allocations that are refused of each verb.
const MOST: usize = 50;

/// A metric of each way in which a graph is built.
const METRICS: [Metric; 3] = [Metric::L2, Metric::L1, Metric::Hamming];

fn options(metric: Metric) -> IndexOptions {
    IndexOptions { m: 4, ef_construction: 8, ..support::options(metric, DIMS) }
}

/// Vectors of which many come twice, or very often.
fn vectors(metric: Metric) -> Vec<Vec<f32>> {
    let mut vectors = clustered(ROWS, DIMS, 1);
    for i in (0..ROWS).step_by(3) {
        vectors[i] = vectors[i / 1_000].clone();
    }
    if metric.is_of_bits() {
        vectors.iter_mut().flatten().for_each(|x| *x = f32::from(*x > 0.0));
    }
    vectors
}

#[test]
fn builds() {
    let _alone = alone();
    for metric in METRICS {
        let vectors = vectors(metric);
        let refused = refuse_each(MOST, || -> Result<()> {
            let mut bulk = Bulk::new(options(metric), Space::unlimited())?;
            for (i, vector) in vectors.iter().enumerate() {
                bulk.push(vector, tid(i))?;
            }
            bulk.write(2, &mut |_, _, _| true, &mut |_| Ok(()))
        });
        assert!(refused > 3, "{metric:?}: {refused}");
    }
}

/// Has the first allocations of `work` refused on copies of an index, which stays sound.
fn refuse_on_copies(metric: Metric, work: impl Fn(&MemStore) -> Result<()>) -> usize {
    let store = bulk_built(options(metric), &vectors(metric));
    let mut copies = Vec::new();
    let refused = refuse_each(MOST, || {
        copies.push(store.clone());
        copies.last().map_or(Ok(()), &work)
    });
    for copy in &copies {
        assert_eq!(problems(copy), [], "{metric:?}");
    }
    refused
}

#[test]
fn scans() {
    let _alone = alone();
    for metric in METRICS {
        let query = vectors(metric).remove(1);
        let refused = refuse_on_copies(metric, |store| {
            let mut scan = Scan::new(Hnsw::open(store)?, Some(&query), scan_options(40));
            while scan.next(store)?.is_some() {}
            Ok(())
        });
        assert!(refused > 2, "{metric:?}");
    }
}

#[test]
fn vacuums() {
    let _alone = alone();
    for metric in METRICS {
        let refused = refuse_on_copies(metric, |store| {
            let (emptied, _) = vacuum::clear(store, &mut |tid| !row(tid).is_multiple_of(3))?;
            vacuum::unlink(store, &emptied)?;
            vacuum::free(store, emptied)
        });
        assert!(refused > 2, "{metric:?}");
    }
}

#[test]
fn checks() {
    let _alone = alone();
    for metric in METRICS {
        let refused = refuse_on_copies(metric, |store| {
            check(store, &|| u32::MAX, &mut |problem| panic!("{problem:?}"))?;
            info(store)?;
            calibrate(store).map(drop)
        });
        assert!(refused > 0, "{metric:?}");
    }
}
