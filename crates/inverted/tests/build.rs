//! An index that is built at once holds what inserts would have put into it.

use std::collections::BTreeMap;

use crate::support::*;
use inverted::{Bulk, Snapshot, definition, insert, vacuum};
use memmap2::MmapMut;
use pages::PageStore;
use pages::mem::MemStore;
use space::Space;

fn built(bulk: Bulk<'_>) -> MemStore {
    let store = MemStore::new();
    let append = &mut |body: &[u8]| {
        store.append(body);
        Ok(())
    };
    bulk.write(append).expect("writes").publish(&store).expect("publishes");
    store
}

#[test]
fn builds_in_memory_and_in_runs_are_the_same() {
    for options in KINDS {
        let spaces = [
            Space::unlimited(),
            Space::new(300_000, Box::new(MmapMut::map_anon)),
            Space::new(0, Box::new(MmapMut::map_anon)),
        ];
        let mut pages = Vec::new();
        for (space, count) in spaces.into_iter().zip([3_000, 3_000, 20]) {
            let mut bulk = Bulk::new(options, b"how", space, Box::new(|| Ok(()))).expect("begins");
            let mut rows = BTreeMap::new();
            for i in 0..count {
                let document = document(i, i % 30, options);
                bulk.push(&document).expect("takes");
                rows.insert(i, row_of(&document));
            }
            let store = built(bulk);
            assert_eq!(content(&store, VOCABULARY), Content::of(&rows), "{options:?}");
            assert_eq!(definition(&store).expect("reads"), b"how");
            assert_eq!(Snapshot::read(&store).expect("reads").segments().len(), 1);
            pages.push(store.to_bytes());
        }
        assert!(pages[0] == pages[1], "{options:?}");
    }
}

#[test]
fn an_index_that_was_built_goes_on() {
    let mut bulk = Bulk::new(TEXT, b"", Space::unlimited(), Box::new(|| Ok(()))).expect("begins");
    let mut rows = BTreeMap::new();
    for i in 0..1_000 {
        bulk.push(&document(i, 5, TEXT)).expect("takes");
    }
    let store = built(bulk);
    for i in 1_000..1_500 {
        insert(&store, &document(i, 5, TEXT)).expect("inserts");
    }
    vacuum(&store, &mut |tid| row(tid).is_multiple_of(3)).expect("vacuums");
    for i in (0..1_500).filter(|i| i % 3 != 0) {
        rows.insert(i, row_of(&document(i, 5, TEXT)));
    }
    assert_eq!(content(&store, VOCABULARY), Content::of(&rows));
}

#[test]
fn an_index_without_documents_is_built() {
    let store =
        built(Bulk::new(TEXT, b"", Space::unlimited(), Box::new(|| Ok(()))).expect("begins"));
    assert_eq!(store.blocks(), Ok(2));
    assert_eq!(content(&store, VOCABULARY), Content::default());
    insert(&store, &document(0, 5, TEXT)).expect("inserts");
    assert_eq!(content(&store, VOCABULARY).statistics.documents, 1);
}
