//! A page is untrusted: whatever it holds, the answer is an error or a result, never a panic, and
//! it comes after a bounded number of reads.

use std::cell::Cell;

use crate::support::*;
use fuzz::{Case, scribble};
use graph::{Bulk, Hnsw, IndexOptions, Iterative, Scan, Vector, vacuum};
use kernels::sparse::Sparse;
use pages::mem::{MemBatch, MemPage, MemStore};
use pages::{PageStore, Result};
use quant::{Metric, SplitMix64};
use rand::Rng;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use space::Space;
use vectors::Form;

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
            // Headers of pages and of their first records are the most telling.
            let near = rng.random_range(0..3) == 0;
            store.scribble(block, |page| {
                let end = if near { 128 } else { page.len() };
                scribble(rng, &mut page[..end]);
            });
        }
    }
}

fn scan(case: &mut Case, store: &Bounded, query: Vector<'_>) -> Result<()> {
    let hnsw = Hnsw::open(store)?;
    hnsw.accept(query)?;
    let modes = [Iterative::Off, Iterative::On];
    let mut options = scan_options(case.rng.random_range(1..100));
    options.iterative = *modes.choose(&mut case.rng).expect("is one of them");
    options.target_recall = case.rng.random::<bool>().then_some(0.9);
    options.wanted = case.rng.random_range(0..200);
    options.memory = if case.rng.random() { usize::MAX } else { 1 << 16 };
    let mut scan = Scan::new(hnsw, Some(query), options);
    for _ in 0..case.rng.random_range(1..400) {
        if scan.next(store)?.is_none() {
            break;
        }
    }
    Ok(())
}

/// One operation of a host.
fn operate(case: &mut Case, store: &Bounded, vectors: &[Input]) -> Result<()> {
    store.reads.set(0);
    let vector = vectors.choose(&mut case.rng).expect("is one of them").view();
    match case.rng.random_range(0..6) {
        0 => graph::check(store, &|| 10_000, &mut |_| ()),
        1 | 2 => scan(case, store, vector),
        3 => graph::insert(store, vector, tid(case.rng.random_range(0..1000))),
        4 => {
            let dead = case.rng.random_range(1..50);
            let (emptied, _) = vacuum::clear(store, &mut |tid| tid.offset % dead == 0)?;
            vacuum::unlink(store, &emptied)?;
            vacuum::free(store, emptied)
        }
        _ => {
            graph::info(store)?;
            if graph::outgrown(store)? { graph::calibrate(store).map(drop) } else { Ok(()) }
        }
    }
}

/// Indexes with all that pages may hold, each with vectors to search for and to insert.
fn sound() -> Vec<(MemStore, Vec<Input>)> {
    let mut indexes = Vec::new();
    let floats = [Metric::L2, Metric::InnerProduct, Metric::Cosine, Metric::L1];
    let metrics = floats.into_iter().chain([Metric::Hamming, Metric::Jaccard]);
    let all = metrics.flat_map(|metric| forms(metric).iter().map(move |&form| (metric, form)));
    for (metric, form) in all.chain([(Metric::L2, Form::Bytes)]) {
        let vectors = clustered(200, DIMS, 1);
        let vectors = if metric.is_of_bits() { bits(&vectors) } else { vectors };
        let vectors: Vec<Input> = vectors.into_iter().map(Input::Dense).collect();
        let store = built(IndexOptions { form, ..options(metric, DIMS) }, &vectors);
        // Some records are free, some rows are alike.
        let (emptied, _) = vacuum::clear(&store, &mut |tid| tid.offset == 7).expect("clears");
        vacuum::unlink(&store, &emptied).expect("unlinks");
        vacuum::free(&store, emptied).expect("frees");
        (300..330).for_each(|i| graph::insert(&store, vectors[3].view(), tid(i)).expect("inserts"));
        indexes.push((store, vectors));
    }
    // Vectors that no page holds whole.
    let vectors: Vec<Input> = clustered(15, 9000, 2).into_iter().map(Input::Dense).collect();
    indexes.push((built(options(Metric::L2, 9000), &vectors), vectors));
    for (metric, dims, count) in
        [(Metric::Cosine, 50, 200), (Metric::L2, 1_000_000, 60), (Metric::L1, 3_000, 60)]
    {
        let form = Form::Sparse;
        let vectors: Vec<Input> = (0..count).map(|i| Input::sparse(i, dims)).collect();
        let store = built(IndexOptions { form, ..options(metric, dims as usize) }, &vectors);
        indexes.push((store, vectors));
    }
    indexes
}

fn built(options: IndexOptions, vectors: &[Input]) -> MemStore {
    let mut bulk = Bulk::new(options, Space::unlimited()).expect("fits");
    for (i, vector) in vectors.iter().enumerate() {
        bulk.push(vector.view(), tid(i)).expect("takes the row");
    }
    let store = MemStore::new();
    bulk.write(1, &mut |_, _, _| true, &mut |body| {
        store.append(body);
        Ok(())
    })
    .expect("builds");
    store
}

/// A vector to index.
enum Input {
    Dense(Vec<f32>),
    Sparse(Vec<u32>, Vec<f32>),
}

impl Input {
    /// A few elements that are not zero, or, now and then, so many that they take tails.
    fn sparse(seed: u64, dims: u32) -> Self {
        let mut random = SplitMix64::new(seed);
        let step = if seed.is_multiple_of(9) { dims / 900 } else { dims / 20 };
        let indices: Vec<u32> = (1..dims).step_by(step.max(3) as usize).collect();
        let values = indices.iter().map(|_| random.next_normal()).collect();
        Self::Sparse(indices, values)
    }

    fn view(&self) -> Vector<'_> {
        match self {
            Self::Dense(vector) => vector.into(),
            Self::Sparse(indices, values) => Vector::Sparse(Sparse { indices, values }),
        }
    }
}

#[test]
fn damaged_pages_end_in_an_error_or_a_result() {
    let sound = sound();
    let mut errors = 0;
    let cases = fuzz::run("graph-pages", |case| {
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
