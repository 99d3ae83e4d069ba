//! Damaged pages are errors, or change what is found, but nothing worse.

use crate::common::{BM25, texts, vectors, write};
use inverted::{
    Heads, Match, Query, Reader, Scan, ScanOptions, Scoring, SegmentInfo, Statistics, matches,
};
use pages::mem::MemStore;
use pages::{Error, PageStore, Result};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

/// Reads all that there is in every way.
fn read_all(
    store: &MemStore,
    info: &SegmentInfo,
    scoring: Scoring,
    queries: &[Query],
) -> Result<()> {
    let statistics = Statistics { documents: 3_000, total_length: 40_000 };
    for query in queries {
        let segments = Heads::default().open(store, &[*info], scoring)?;
        let options = ScanOptions::default();
        let mut scan = Scan::new(segments, scoring, statistics, query, options, &mut ())?;
        let mut hits = 0;
        while hits < 5_000 && scan.next()?.is_some() {
            hits += 1;
        }
    }
    let reader = Reader::open(store, info, scoring)?;
    reader.blocks(&mut |_| Ok(()))?;
    for group in 0..reader.groups() {
        reader.documents(group)?;
    }
    let mut terms = reader.terms();
    let mut found = Vec::new();
    while let Some((_, entry)) = terms.next()? {
        let mut postings = reader.postings(&entry)?;
        while postings.ordinal().is_some() {
            postings.positions(&mut found)?;
            postings.advance()?;
        }
    }
    let phrase = Match::phrase([(0, "w0"), (1, "w1")], 3);
    matches(&reader, &phrase, &mut |_| Ok(()))
}

fn damage(name: &str, scoring: Scoring, documents: &[inverted::Document], queries: &[Query]) {
    let original = MemStore::new();
    let info = write(&original, scoring, scoring != Scoring::InnerProduct, 3, documents);
    read_all(&original, &info, scoring, queries).expect("reads");
    let pauses = original.reads();
    let blocks = original.blocks().expect("blocks");
    let mut errors = 0;
    let cases = fuzz::run(name, |case| {
        let store = original.clone();
        for _ in 0..case.rng.random_range(1..4) {
            let block = case.rng.random_range(0..blocks);
            store.scribble(block, |page| {
                let end = case.rng.random_range(1..=page.len());
                fuzz::scribble(&mut case.rng, &mut page[..end]);
            });
        }
        case.input(store.to_bytes());
        // A loop without end would meet this.
        store.interrupt_after(pauses * 50);
        match read_all(&store, &info, scoring, queries) {
            Ok(()) => {}
            Err(Error::Corrupted { .. } | Error::Version { .. } | Error::OutOfMemory) => {
                errors += 1;
            }
            Err(error) => panic!("{error}"),
        }
    });
    assert!(errors > 0 || cases < 50, "no damage was noticed in {cases} cases");
}

#[test]
fn damaged_texts() {
    let mut rng = SmallRng::seed_from_u64(1);
    let mut documents = texts(&mut rng, 4_000, 60);
    let long: Vec<u32> = (0..70_000).map(|i| i % 60).collect();
    documents[5] = crate::common::document(5, &long);
    let queries = [
        Query::of_tokens(["w0", "w1", "w7", "w20", "w59"]),
        Query::of_tokens(["w3", "w3"]),
        Query::of_tokens((0..60).map(|i| format!("w{i}"))),
    ];
    damage("inverted-texts", BM25, &documents, &queries);
}

#[test]
fn damaged_vectors() {
    let mut rng = SmallRng::seed_from_u64(2);
    let documents = vectors(&mut rng, 4_000, 300, 1.0);
    let dimension = |d| (inverted::dimension(d).to_vec(), (d % 7) as f32 - 2.5);
    let queries =
        [Query::new((0..40).map(dimension)), Query::new((0..300).step_by(9).map(dimension))];
    damage("inverted-vectors", Scoring::InnerProduct, &documents, &queries);
}
