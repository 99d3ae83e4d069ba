//! A page is untrusted: whatever it holds, the answer is an error or a result, never a panic, and
//! it comes after a bounded number of reads.

use std::cell::Cell;

use crate::support::*;
use fuzz::{Case, scribble};
use inverted::{Reader, Snapshot, check, definition, insert, statistics, vacuum};
use pages::mem::{MemBatch, MemLock, MemPage, MemStore};
use pages::{Coordination, Error, PAGE_BODY, PageStore, Result};
use rand::Rng;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;

/// Far more than any operation on these small indexes reads.
const MAX_READS: u64 = 300_000;

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

impl Coordination for Bounded {
    type Lock<'a> = MemLock<'a>;

    fn try_lock(&self, number: u32) -> Result<Option<MemLock<'_>>> {
        self.store.try_lock(number)
    }

    fn lock(&self, number: u32) -> Result<MemLock<'_>> {
        self.store.lock(number)
    }

    fn mark(&self) -> Result<u64> {
        self.store.mark()
    }

    fn has_passed(&self, mark: u64) -> Result<bool> {
        self.store.has_passed(mark)
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
        let block = if rng.random_range(0..4) == 0 { 0 } else { rng.random_range(0..blocks) };
        if rng.random_range(0..20) == 0 {
            let other = store.read(rng.random_range(0..blocks)).expect("reads").to_vec();
            store.scribble(block, |page| page.copy_from_slice(&other));
        } else {
            // Headers are the most telling.
            let near = rng.random_range(0..3) == 0;
            store.scribble(block, |page| {
                let end = if near { 64 } else { page.len() };
                scribble(rng, &mut page[..end]);
            });
        }
    }
}

/// Reads all postings.
fn read_all(store: &Bounded) -> Result<()> {
    let snapshot = Snapshot::read(store)?;
    let options = snapshot.options();
    let mut terms: Vec<_> = (0..VOCABULARY).map(|number| term(number, options)).collect();
    terms.sort();
    let terms: Vec<&[u8]> = terms.iter().map(Vec::as_slice).collect();
    snapshot.buffer_matches(store, &terms, true)?;
    for info in snapshot.segments() {
        let reader = Reader::open(store, info, options.scoring)?;
        let mut terms = reader.terms();
        while let Some((_, entry)) = terms.next()? {
            let mut postings = reader.postings(&entry)?;
            let mut positions = Vec::new();
            while postings.ordinal().is_some() {
                postings.positions(&mut positions)?;
                postings.advance()?;
            }
        }
    }
    Ok(())
}

/// One operation of a host.
fn operate(case: &mut Case, store: &Bounded) -> Result<()> {
    store.reads.set(0);
    match case.rng.random_range(0..6) {
        0 => check(store, &|| 10_000, &mut |_| ()),
        1 => read_all(store),
        2 => {
            let options = Snapshot::read(store)?.options();
            (0..case.rng.random_range(1..200)).try_for_each(|_| {
                let row = case.rng.random_range(0..50_000);
                let tokens = [10, 100, 3_000][case.rng.random_range(0..3)];
                insert(store, &document(row, tokens, options))
            })
        }
        3 => {
            let dead = case.rng.random_range(1..50);
            vacuum(store, &mut |tid| tid.offset % dead == 0).map(drop)
        }
        4 => definition(store).map(drop),
        _ => statistics(store).map(drop),
    }
}

#[test]
fn damaged_pages_end_in_an_error_or_a_result() {
    let sound: Vec<MemStore> = KINDS
        .into_iter()
        .map(|options| {
            let store = empty(options);
            for i in 0..400 {
                let tokens = if i % 50 == 1 { 2_500 } else { 20 };
                insert(&store, &document(i, tokens, options)).expect("inserts");
                if i % 150 == 0 {
                    vacuum(&store, &mut |tid| tid.offset == 7).expect("vacuums");
                }
            }
            store
        })
        .collect();
    let mut errors = 0;
    let cases = fuzz::run("inverted-pages", |case| {
        let store = sound.choose(&mut case.rng).expect("is one of them").clone();
        damage(&mut case.rng, &store);
        case.input(store.to_bytes());
        let store = Bounded { store, reads: Cell::new(0) };
        for _ in 0..4 {
            match operate(case, &store) {
                Err(Error::Internal(what)) => panic!("{what}"),
                result => errors += u64::from(result.is_err()),
            }
        }
    });
    assert!(cases == 1 || errors > 0, "no damage was noticed");
}

#[test]
fn the_check_names_the_block() {
    let store = empty(TEXT);
    for i in 0..300 {
        insert(&store, &document(i, 20, TEXT)).expect("inserts");
    }
    vacuum(&store, &mut |_| false).expect("vacuums");
    let block = Snapshot::read(&store).expect("reads").segments()[0].root;
    store.scribble(block, |page| page[PAGE_BODY - 1] = 0);
    let found = problems(&store);
    assert!(found.iter().any(|problem| problem.block == Some(block)), "{found:?}");
    store.scribble(0, |page| page[0] = 0);
    assert_eq!(problems(&store).len(), 1);
}
