//! A segment holds what was written.

use std::collections::{BTreeMap, BTreeSet};

use crate::common::{BM25, open, texts, vectors, write};
use inverted::{Document, GROUP, Scoring, kill, set_frequency};
use pages::mem::MemStore;
use pages::{Batch, PageStore};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

/// Of each term the ordinals, values and positions.
type Lists<'a> = BTreeMap<&'a [u8], Vec<(u32, u32, &'a [u32])>>;

fn lists(documents: &[Document]) -> Lists<'_> {
    let mut lists = Lists::new();
    for (document, ordinal) in documents.iter().zip(0..) {
        for posting in &document.postings {
            let list = lists.entry(&posting.term).or_default();
            list.push((ordinal, posting.value, &posting.positions));
        }
    }
    lists
}

fn is_complete(scoring: Scoring, positions: bool, documents: &[Document]) {
    let store = MemStore::new();
    let info = write(&store, scoring, positions, 7, documents);
    assert_eq!(info.documents as usize, documents.len());
    let reader = open(&store, &info, scoring);
    let mut blocks = BTreeSet::new();
    reader
        .blocks(&mut |block| {
            assert!(blocks.insert(block));
            Ok(())
        })
        .expect("blocks");
    assert_eq!(blocks.len(), info.pages as usize);
    assert_eq!(blocks.len(), store.blocks().expect("blocks") as usize);

    let mut rows = documents.iter();
    for group in 0..reader.groups() {
        let stored = reader.documents(group).expect("documents");
        assert_eq!(stored.first as usize, group * GROUP);
        for (tid, length) in stored.tids.iter().zip(&stored.lengths) {
            let row = rows.next().expect("row");
            assert_eq!((row.tid, row.length), (*tid, *length));
        }
    }
    assert!(rows.next().is_none());

    let lists = lists(documents);
    let mut terms = reader.terms();
    let mut found = Vec::new();
    for (&term, list) in &lists {
        let (stored, entry) = terms.next().expect("term").expect("term");
        assert_eq!(stored, term);
        assert_eq!((entry.count, entry.frequency), (list.len() as u32, list.len() as u32));
        assert_eq!(reader.lookup(term).expect("looks up"), Some(entry.clone()));
        let mut postings = reader.postings(&entry).expect("postings");
        for &(ordinal, value, at) in list {
            assert_eq!((postings.ordinal(), postings.value()), (Some(ordinal), value));
            if positions {
                postings.positions(&mut found).expect("positions");
                assert_eq!(found, at);
            }
            postings.advance().expect("advances");
        }
        assert_eq!(postings.ordinal(), None);
        let mut other = term.to_vec();
        other.push(0);
        if !lists.contains_key(&other[..]) {
            assert_eq!(reader.lookup(&other).expect("looks up"), None);
        }
    }
    assert!(terms.next().expect("end").is_none());
    assert_eq!(reader.lookup(b"").expect("looks up"), None);
}

#[test]
fn texts_come_back() {
    let mut rng = SmallRng::seed_from_u64(1);
    for (rows, vocabulary) in [(0, 1), (1, 1), (3, 5), (300, 20), (9_000, 3), (9_000, 20_000)] {
        let documents = texts(&mut rng, rows, vocabulary);
        is_complete(BM25, rows != 300, &documents);
    }
}

#[test]
fn vectors_come_back() {
    let mut rng = SmallRng::seed_from_u64(2);
    for rows in [1, 1_000, 4_000] {
        is_complete(Scoring::InnerProduct, false, &vectors(&mut rng, rows, 3_000, 1.0));
    }
}

#[test]
fn long_documents_and_lists_of_many_groups_come_back() {
    let all: Vec<u32> = (0..70_000).map(|i| i % 7).collect();
    let mut documents: Vec<Document> =
        (0..20_000).map(|row| crate::common::document(row, &[1])).collect();
    documents[5_000] = crate::common::document(5_000, &all);
    documents[5_001] = crate::common::document(5_001, &all[..65_535]);
    documents[5_002] = crate::common::document(5_002, &all[..65_534]);
    is_complete(BM25, true, &documents);
}

#[test]
fn cursors_seek() {
    let mut rng = SmallRng::seed_from_u64(3);
    let documents = texts(&mut rng, 20_000, 50);
    let store = MemStore::new();
    let info = write(&store, BM25, true, 7, &documents);
    let reader = open(&store, &info, BM25);
    let mut found = Vec::new();
    for (term, list) in lists(&documents) {
        let entry = reader.lookup(term).expect("looks up").expect("term");
        let mut postings = reader.postings(&entry).expect("postings");
        let mut target = 0;
        while target < 20_100 {
            postings.seek(target).expect("seeks");
            let rest = &list[list.partition_point(|&(ordinal, ..)| ordinal < target)..];
            assert_eq!(postings.ordinal(), rest.first().map(|&(ordinal, ..)| ordinal));
            if let Some((_, value, at)) = rest.first() {
                assert_eq!(postings.value(), *value);
                postings.positions(&mut found).expect("positions");
                assert_eq!(found, *at);
            }
            let bits = rng.random_range(1..14);
            target += rng.random_range(0..1 << bits);
        }
    }
}

#[test]
fn vacuum_changes_in_place() {
    let mut rng = SmallRng::seed_from_u64(4);
    let documents = texts(&mut rng, 5_000, 500);
    let store = MemStore::new();
    let info = write(&store, BM25, false, 7, &documents);
    let reader = open(&store, &info, BM25);
    let stored = reader.documents(1).expect("documents");
    let mut batch = store.batch();
    let body = batch.page(stored.block).expect("page");
    assert_eq!(kill(body, stored.block, 7, [0, 5, 5]), Ok(2));
    assert!(kill(body, stored.block, 7, [GROUP]).is_err());
    assert!(kill(body, stored.block, 8, [1]).is_err());
    batch.commit().expect("commits");
    let stored = reader.documents(1).expect("documents");
    let dead: Vec<usize> = (0..stored.tids.len()).filter(|&i| stored.is_dead(i)).collect();
    assert_eq!(dead, [0, 5]);

    for (term, list) in lists(&documents) {
        let entry = reader.lookup(term).expect("looks up").expect("term");
        let mut batch = store.batch();
        let body = batch.page(entry.block()).expect("page");
        let less = list.len() as u32 / 2;
        assert!(set_frequency(body, entry.block(), 7, &entry, entry.count + 1).is_err());
        set_frequency(body, entry.block(), 7, &entry, less).expect("changes");
        batch.commit().expect("commits");
        let entry = reader.lookup(term).expect("looks up").expect("term");
        assert_eq!((entry.count, entry.frequency), (list.len() as u32, less));
    }
}
