//! What the tests share: documents, and all that an index holds.

#![allow(dead_code)] // each test uses some

use std::collections::BTreeMap;

use inverted::{
    Document, Options, Posting, Reader, Scoring, Snapshot, Statistics, create, dimension,
};
use pages::mem::MemStore;
use pages::{HeapTid, PageStore};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

pub const BM25: Scoring = Scoring::Bm25 { k1: 1.2, b: 0.75 };
pub const TEXT: Options = Options { scoring: BM25, positions: true };
pub const KINDS: [Options; 3] = [
    TEXT,
    Options { scoring: BM25, positions: false },
    Options { scoring: Scoring::InnerProduct, positions: false },
];

/// Distinct terms of the documents.
pub const VOCABULARY: u32 = 400;

pub fn empty(options: Options) -> MemStore {
    let store = MemStore::new();
    create(&store, options, b"definition").expect("creates");
    store
}

pub fn tid(row: usize) -> HeapTid {
    HeapTid { block: (row / 50) as u32, offset: (row % 50) as u16 + 1 }
}

pub fn row(tid: HeapTid) -> usize {
    tid.block as usize * 50 + usize::from(tid.offset) - 1
}

pub fn term(number: u32, options: Options) -> Vec<u8> {
    match options.scoring {
        Scoring::InnerProduct => dimension(number * 97).to_vec(),
        Scoring::Bm25 { .. } => format!("t{}", number * 7919 % 1_000_003).into_bytes(),
    }
}

/// A document of about `tokens` tokens, of which some terms are far more frequent than others.
pub fn document(row: usize, tokens: usize, options: Options) -> Document {
    document_of(row, tokens, VOCABULARY, options)
}

pub fn document_of(row: usize, tokens: usize, vocabulary: u32, options: Options) -> Document {
    let mut rng = SmallRng::seed_from_u64(row as u64 ^ 0xABCD);
    let mut terms: BTreeMap<Vec<u8>, Vec<u32>> = BTreeMap::new();
    for position in 0..tokens as u32 {
        let skewed = rng.random::<f32>() * rng.random::<f32>();
        let number = (skewed * vocabulary as f32) as u32;
        terms.entry(term(number, options)).or_default().push(position);
    }
    let postings = terms.into_iter().map(|(term, mut positions)| {
        let value = match options.scoring {
            Scoring::InnerProduct => (rng.random_range(1..100) as f32 - 200.5).to_bits(),
            Scoring::Bm25 { .. } => positions.len() as u32,
        };
        if !options.positions {
            positions.clear();
        }
        Posting { term, value, positions }
    });
    Document { tid: tid(row), length: tokens as u32, postings: postings.collect() }
}

/// What an index holds of a row: its length, and for each term value and positions.
pub type Row = (u32, BTreeMap<Vec<u8>, (u32, Vec<u32>)>);

pub fn row_of(document: &Document) -> Row {
    let postings = document.postings.iter();
    let terms = postings.map(|p| (p.term.clone(), (p.value, p.positions.clone())));
    (document.length, terms.collect())
}

/// All that an index holds.
#[derive(Debug, Default, PartialEq)]
pub struct Content {
    pub rows: BTreeMap<usize, Row>,
    pub statistics: Statistics,
    pub frequencies: BTreeMap<Vec<u8>, u64>,
}

impl Content {
    /// What an index should hold.
    pub fn of(rows: &BTreeMap<usize, Row>) -> Self {
        let mut content = Self { rows: rows.clone(), ..Self::default() };
        for (length, terms) in rows.values() {
            content.statistics.documents += 1;
            content.statistics.total_length += u64::from(*length);
            for term in terms.keys() {
                *content.frequencies.entry(term.clone()).or_default() += 1;
            }
        }
        content
    }
}

/// All that the index holds, by way of what searches use. Rows without terms are found in segments
/// only.
pub fn content<S: PageStore>(store: &S, vocabulary: u32) -> Content {
    let snapshot = Snapshot::read(store).expect("reads");
    let options = snapshot.options();
    let mut content = Content { statistics: snapshot.statistics(), ..Content::default() };
    for info in snapshot.segments() {
        let reader = Reader::open(store, info, options.scoring).expect("opens");
        let mut rows = Vec::new();
        for group in 0..reader.groups() {
            let group = reader.documents(group).expect("reads");
            for (i, (&tid, &length)) in group.tids.iter().zip(&group.lengths).enumerate() {
                rows.push((tid, group.is_dead(i)));
                if !group.is_dead(i) {
                    let before = content.rows.insert(row(tid), (length, BTreeMap::new()));
                    assert_eq!(before, None, "row {tid:?} is in the index twice");
                }
            }
        }
        let mut terms = reader.terms();
        while let Some((term, entry)) = terms.next().expect("reads") {
            let mut postings = reader.postings(&entry).expect("reads");
            *content.frequencies.entry(term.to_vec()).or_default() += u64::from(entry.frequency);
            while let Some(ordinal) = postings.ordinal() {
                let (tid, dead) = rows[ordinal as usize];
                let mut positions = Vec::new();
                postings.positions(&mut positions).expect("reads");
                if !dead {
                    let row = content.rows.get_mut(&row(tid)).expect("is there");
                    row.1.insert(term.to_vec(), (postings.value(), positions));
                }
                postings.advance().expect("reads");
            }
        }
    }
    let mut terms: Vec<_> = (0..vocabulary).map(|number| term(number, options)).collect();
    terms.sort();
    let refs: Vec<&[u8]> = terms.iter().map(Vec::as_slice).collect();
    let found = snapshot.buffer_matches(store, &refs, true).expect("reads");
    content.statistics.documents += found.statistics.documents;
    content.statistics.total_length += found.statistics.total_length;
    for (document, matches) in found.documents() {
        let mut of = (document.length, BTreeMap::new());
        for found_match in matches {
            let term = terms[found_match.term as usize].clone();
            let positions = found.positions(found_match).to_vec();
            of.1.insert(term, (found_match.value, positions));
        }
        let before = content.rows.insert(row(document.tid), of);
        assert_eq!(before, None, "row {:?} is in the index twice", document.tid);
    }
    for (term, &frequency) in terms.iter().zip(&found.frequencies) {
        *content.frequencies.entry(term.clone()).or_default() += frequency;
    }
    content.frequencies.retain(|_, frequency| *frequency > 0);
    content
}

/// What is wrong with an index.
pub fn problems<S: PageStore>(store: &S) -> Vec<pages::Problem> {
    let mut found = Vec::new();
    inverted::check(store, &|| u32::MAX, &mut |problem| found.push(problem)).expect("checks");
    found
}

/// The index is sound and holds these rows.
pub fn expect<S: PageStore>(store: &S, rows: &BTreeMap<usize, Row>, what: &str) {
    assert_eq!(problems(store), [], "{what}");
    let content = content(store, VOCABULARY);
    let expected = Content::of(rows);
    assert!(content == expected, "{what}: {:?}, {:?}", content.statistics, expected.statistics);
}
