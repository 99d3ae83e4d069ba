//! A page is untrusted: whatever it holds, the answer is an error or a result, never a panic, and
//! it comes after a bounded number of reads.

use std::cell::Cell;

use crate::support::*;
use fuzz::{Case, scribble};
use ivf::{Ivf, Rebalance, Scan, ScanOptions, check, info, insert, rebalance, vacuum};
use pages::mem::{MemBatch, MemPage, MemStore};
use pages::{PAGE_BODY, PageStore, Result};
use rand::Rng;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;

const DIMS: usize = 20;

/// Far more than any operation on these small indexes reads.
const MAX_READS: u64 = 1_000_000;

/// A store that panics when it is read too often.
struct Bounded {
    store: MemStore,
    reads: Cell<u64>,
}

impl PageStore for Bounded {
    type Page<'a> = MemPage<'a>;
    type Batch<'a> = MemBatch<'a>;

    fn blocks(&self) -> Result<u32> {
        self.store.blocks()
    }

    fn read(&self, block: u32) -> Result<MemPage<'_>> {
        self.count();
        self.store.read(block)
    }

    fn batch(&self) -> MemBatch<'_> {
        self.count();
        self.store.batch()
    }

    fn pause(&self) -> Result<()> {
        Ok(())
    }
}

impl Bounded {
    fn count(&self) {
        self.reads.set(self.reads.get() + 1);
        assert!(self.reads.get() < MAX_READS, "an operation goes on and on");
    }
}

/// Puts wrong bytes into some pages, or one page into another's place.
fn damage(rng: &mut SmallRng, store: &MemStore) {
    let blocks = store.blocks().expect("counts");
    for _ in 0..1 << rng.random_range(0..6) {
        let block = rng.random_range(0..blocks);
        if rng.random_range(0..20) == 0 {
            let other = store.read(rng.random_range(0..blocks)).expect("reads").to_vec();
            store.scribble(block, |page| page.copy_from_slice(&other));
        } else {
            // Headers of pages and of their first blocks are the most telling.
            let near = rng.random_range(0..3) == 0;
            store.scribble(block, |page| {
                let end = if near { 64 } else { page.len() };
                scribble(rng, &mut page[..end]);
            });
        }
    }
}

fn scan(case: &mut Case, store: &Bounded, query: &[f32]) -> Result<()> {
    let probes = case.rng.random_range(1..10);
    let options = ScanOptions {
        probes,
        max_probes: 2 * probes,
        strict: probes % 2 == 1,
        wanted: 0,
        memory: usize::MAX,
    };
    let mut scan = Scan::new(Ivf::open(store)?, Some(query), options);
    for _ in 0..case.rng.random_range(1..400) {
        if scan.next(store)?.is_none() {
            break;
        }
    }
    Ok(())
}

/// One operation of a host.
fn operate(case: &mut Case, store: &Bounded, vectors: &[Vec<f32>]) -> Result<()> {
    store.reads.set(0);
    let vector = vectors.choose(&mut case.rng).expect("is one of them");
    // The host compares dimensions with the column's.
    let fits = Ivf::open(store)?.meta().geometry.dims == vector.len();
    match case.rng.random_range(0..7) {
        0 => check(store, &|| 10_000, &mut |_| ()),
        1 | 2 if fits => scan(case, store, vector),
        3 if fits => insert(store, vector, tid(case.rng.random_range(0..1000))),
        4 => {
            let dead = case.rng.random_range(1..50);
            vacuum(store, &mut |tid| tid.offset % dead == 0).map(drop)
        }
        5 => {
            let wanted = Rebalance { lists: case.rng.random_range(1..20), work: 1_000 };
            rebalance(store, &wanted).map(drop)
        }
        _ => info(store).map(drop),
    }
}

#[test]
fn damaged_pages_end_in_an_error_or_a_result() {
    let sound: Vec<(MemStore, Vec<Vec<f32>>)> = KINDS
        .into_iter()
        .map(|kind| {
            let vectors = clustered(kind.0, 300, DIMS, 1);
            let store = built(options(kind, DIMS, 8), &vectors);
            vacuum(&store, &mut |tid| tid.offset == 7).expect("vacuums");
            (300..360).for_each(|i| insert(&store, &vectors[3], tid(i)).expect("inserts"));
            for lists in [3, 12] {
                rebalance(&store, &Rebalance { lists, work: 1_000 }).expect("reorganizes");
            }
            (store, vectors)
        })
        .collect();
    let mut errors = 0;
    let cases = fuzz::run("ivf-pages", |case| {
        let (store, vectors) = sound.choose(&mut case.rng).expect("is one of them");
        let store = store.clone();
        damage(&mut case.rng, &store);
        let blocks = 0..store.blocks().expect("counts");
        let bytes: Vec<u8> = blocks.flat_map(|b| store.read(b).expect("reads").to_vec()).collect();
        case.input(bytes);
        let store = Bounded { store, reads: Cell::new(0) };
        for _ in 0..4 {
            errors += u64::from(operate(case, &store, vectors).is_err());
        }
    });
    assert!(cases == 1 || errors > 0, "no damage was noticed");
}

#[test]
fn the_check_names_the_block() {
    let kind = KINDS[0];
    let store = built(options(kind, DIMS, 4), &clustered(kind.0, 300, DIMS, 1));
    store.scribble(2, |page| page[PAGE_BODY - 1] = 0);
    let found = problems(&store);
    assert!(found.iter().any(|problem| problem.block == Some(2)), "{found:?}");
    store.scribble(0, |page| page[0] = 0);
    assert_eq!(problems(&store).len(), 1);
}
