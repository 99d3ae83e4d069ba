//! Rows to measure with.

use inverted::{Document, Posting};
use pages::HeapTid;
use rand::Rng;
use rand::rngs::SmallRng;

const VOCABULARY: f64 = 200_000.0;

/// A document with terms by Zipf's law.
pub fn document(row: usize, tokens: usize, rng: &mut SmallRng) -> Document {
    let mut terms: Vec<(Vec<u8>, u32)> = (0..tokens as u32)
        .map(|position| {
            let rank = VOCABULARY.powf(rng.random::<f64>()) as u64;
            let word = format!("{:x}", rank.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 36);
            (word.into_bytes(), position)
        })
        .collect();
    terms.sort();
    let mut postings: Vec<Posting> = Vec::new();
    for (term, position) in terms {
        match postings.last_mut().filter(|last| last.term == term) {
            Some(last) => {
                last.value += 1;
                last.positions.push(position);
            }
            None => postings.push(Posting { term, value: 1, positions: vec![position] }),
        }
    }
    let tid = HeapTid { block: (row / 100) as u32, offset: (row % 100) as u16 + 1 };
    Document { tid, length: tokens as u32, postings }
}
