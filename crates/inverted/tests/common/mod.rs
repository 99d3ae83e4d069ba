//! What tests of segments share: random documents, and segments of them in memory.

#![allow(dead_code)] // each test uses a part

use inverted::{Document, Pages, Posting, Reader, Scoring, SegmentInfo, Writer};
use pages::mem::MemStore;
use pages::{Batch, HeapTid, PageStore, Result};
use rand::Rng;
use rand::rngs::SmallRng;

pub const BM25: Scoring = Scoring::Bm25 { k1: 1.2, b: 0.75 };

/// Pages of a store in memory, as they come.
pub struct MemPages<'s>(pub &'s MemStore);

impl Pages for MemPages<'_> {
    fn allocate(&mut self) -> Result<u32> {
        let block = self.0.blocks()?;
        self.0.append(&vec![0; pages::PAGE_BODY]);
        Ok(block)
    }

    fn write(&mut self, block: u32, body: &[u8]) -> Result<()> {
        let mut batch = self.0.batch();
        batch.create(block)?.copy_from_slice(body);
        batch.commit()
    }
}

/// Writes documents as a segment, in the order given.
pub fn write(
    store: &MemStore,
    scoring: Scoring,
    positions: bool,
    id: u64,
    documents: &[Document],
) -> SegmentInfo {
    let mut pages = MemPages(store);
    let mut writer = Writer::new(&mut pages, scoring, positions, id);
    let mut postings = Vec::new();
    for document in documents {
        let ordinal = writer.document(document.tid, document.length).expect("document");
        for posting in &document.postings {
            postings.push((&posting.term[..], ordinal, posting));
        }
    }
    postings.sort_by_key(|&(term, ordinal, _)| (term, ordinal));
    let mut last = None;
    for (term, ordinal, posting) in postings {
        if last != Some(term) {
            writer.term(term).expect("term");
            last = Some(term);
        }
        writer.posting(ordinal, posting.value, &posting.positions).expect("posting");
    }
    writer.finish().expect("finishes")
}

pub fn open<'s>(store: &'s MemStore, info: &SegmentInfo, scoring: Scoring) -> Reader<'s, MemStore> {
    Reader::open(store, info, scoring).expect("opens")
}

/// The tid of a row by its number.
pub fn tid(row: u32) -> HeapTid {
    HeapTid { block: row / 50, offset: (row % 50 + 1) as u16 }
}

/// A document of these tokens.
pub fn document(row: u32, tokens: &[u32]) -> Document {
    let mut places: Vec<(String, u32)> =
        tokens.iter().zip(0..).map(|(token, at)| (format!("w{token}"), at)).collect();
    places.sort();
    let mut postings: Vec<Posting> = Vec::new();
    for (term, at) in places {
        match postings.last_mut().filter(|last| last.term == term.as_bytes()) {
            Some(last) => {
                last.value += 1;
                last.positions.push(at);
            }
            None => {
                postings.push(Posting { term: term.into_bytes(), value: 1, positions: vec![at] });
            }
        }
    }
    Document { tid: tid(row), length: tokens.len() as u32, postings }
}

/// A token number by Zipf's law, about.
pub fn zipf(rng: &mut SmallRng, vocabulary: u32) -> u32 {
    let x: f64 = rng.random();
    ((f64::from(vocabulary) + 1.0).powf(x) - 1.0) as u32
}

/// Texts with lengths of all kinds.
pub fn texts(rng: &mut SmallRng, rows: u32, vocabulary: u32) -> Vec<Document> {
    let text = |row| {
        let length = match rng.random_range(0..100) {
            0 => 0,
            1..10 => 1,
            10..14 => rng.random_range(0..300),
            _ => rng.random_range(1..30),
        };
        let tokens: Vec<u32> = (0..length).map(|_| zipf(rng, vocabulary)).collect();
        document(row, &tokens)
    };
    (0..rows).map(text).collect()
}

/// Sparse vectors of signed weights.
pub fn vectors(rng: &mut SmallRng, rows: u32, dims: u32, scale: f32) -> Vec<Document> {
    let vector = |row| {
        let mut dimensions: Vec<u32> =
            (0..rng.random_range(0..20)).map(|_| zipf(rng, dims)).collect();
        dimensions.sort_unstable();
        dimensions.dedup();
        let postings = dimensions.iter().map(|&dimension| {
            let weight = (rng.random::<f32>() - 0.3) * scale;
            Posting {
                term: inverted::dimension(dimension).to_vec(),
                value: if weight == 0.0 { scale } else { weight }.to_bits(),
                positions: Vec::new(),
            }
        });
        Document { tid: tid(row), length: dimensions.len() as u32, postings: postings.collect() }
    };
    (0..rows).map(vector).collect()
}
