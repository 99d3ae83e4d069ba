//! Any large allocation of any verb may be refused: that is an error, never the end of the process,
//! and the index stays sound.

mod support;

use inverted::{Bulk, Options, Snapshot, check, insert, statistics, vacuum};
use memory::refusing::{Refusing, alone, refuse_each};
use pages::Result;
use pages::mem::MemStore;
use space::Space;
use support::*;

#[global_allocator]
static ALLOCATOR: Refusing = Refusing;

const MOST: usize = 100;

/// An index with segments and a buffer that is nearly full.
fn filled(options: Options) -> MemStore {
    let store = empty(options);
    for i in 0..1_900 {
        insert(&store, &document(i, if i % 100 == 7 { 1_500 } else { 20 }, options))
            .expect("inserts");
    }
    store
}

/// Has the first allocations of `work` refused on copies of an index, which stays sound.
fn refuse_on_copies(options: Options, work: impl Fn(&MemStore) -> Result<()>) -> usize {
    let store = filled(options);
    let mut copies = Vec::new();
    let refused = refuse_each(MOST, || {
        copies.push(store.clone());
        copies.last().map_or(Ok(()), &work)
    });
    for copy in &copies {
        assert_eq!(problems(copy), [], "{options:?}");
    }
    refused
}

#[test]
fn builds() {
    let _alone = alone();
    for options in KINDS {
        let documents: Vec<_> = (0..1_000).map(|i| document(i, 30, options)).collect();
        let refused = refuse_each(MOST, || -> Result<()> {
            let mut bulk = Bulk::new(options, b"", Space::unlimited(), Box::new(|| Ok(())))?;
            documents.iter().try_for_each(|document| bulk.push(document))?;
            bulk.write(&mut |_| Ok(())).map(drop)
        });
        assert!(refused > 4, "{options:?}: {refused}");
    }
}

#[test]
fn inserts() {
    let _alone = alone();
    for options in KINDS {
        let documents: Vec<_> = (3_000..5_000).map(|i| document(i, 20, options)).collect();
        let refused = refuse_on_copies(options, |store| {
            documents.iter().try_for_each(|document| insert(store, document))
        });
        assert!(refused > 4, "{options:?}: {refused}");
        let large = document(9_000, 100_000, options);
        if options.positions {
            let refused = refuse_on_copies(options, |store| insert(store, &large));
            assert!(refused > 2, "{options:?}: {refused}");
        }
    }
}

#[test]
fn vacuums() {
    let _alone = alone();
    for options in KINDS {
        let refused = refuse_on_copies(options, |store| {
            vacuum(store, &mut |tid| row(tid).is_multiple_of(9)).map(drop)
        });
        assert!(refused > 3, "{options:?}: {refused}");
    }
}

#[test]
fn checks_and_searches() {
    let _alone = alone();
    for options in KINDS {
        let mut terms: Vec<_> = (0..VOCABULARY).map(|number| term(number, options)).collect();
        terms.sort();
        let terms: Vec<&[u8]> = terms.iter().map(Vec::as_slice).collect();
        let refused = refuse_on_copies(options, |store| {
            check(store, &|| u32::MAX, &mut |problem| panic!("{problem:?}"))?;
            statistics(store)?;
            Snapshot::read(store)?.buffer_matches(store, &terms, true).map(drop)
        });
        assert!(refused > 2, "{options:?}: {refused}");
    }
}
