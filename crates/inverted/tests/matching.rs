//! Matches are those of all documents, looked at one by one.

use crate::common::{BM25, document, open, texts, tid, write, zipf};
use inverted::{Document, Match, kill, matches};
use pages::mem::MemStore;
use pages::{Batch, HeapTid, PageStore};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

fn holds(condition: &Match, document: &Document) -> bool {
    condition.holds(&|term| {
        let found = document.postings.binary_search_by(|posting| posting.term[..].cmp(term));
        found.ok().map(|at| &document.postings[at].positions[..])
    })
}

fn word(rng: &mut SmallRng, vocabulary: u32) -> String {
    format!("w{}", zipf(rng, vocabulary))
}

fn condition(rng: &mut SmallRng, vocabulary: u32, depth: u32) -> Match {
    let count = rng.random_range(0..4);
    match rng.random_range(0..if depth == 0 { 2 } else { 5 }) {
        0 => Match::Term(word(rng, vocabulary).into_bytes()),
        1 => {
            let words: Vec<_> = (0..count).map(|i| (i, word(rng, vocabulary))).collect();
            Match::phrase(words, rng.random_range(0..5))
        }
        2 => {
            let words: Vec<_> = (0..count).map(|_| word(rng, vocabulary)).collect();
            Match::tokens(words, rng.random_range(0..4))
        }
        3 => Match::All((0..count).map(|_| condition(rng, vocabulary, depth - 1)).collect()),
        _ => {
            let all = (0..count).map(|_| condition(rng, vocabulary, depth - 1)).collect();
            Match::AtLeast(rng.random_range(0..3), all)
        }
    }
}

#[test]
fn as_one_by_one() {
    let mut rng = SmallRng::seed_from_u64(1);
    for (rows, vocabulary) in [(30, 4), (6_000, 12), (9_000, 500)] {
        let mut documents = texts(&mut rng, rows, vocabulary);
        let store = MemStore::new();
        let info = write(&store, BM25, true, 7, &documents);
        let reader = open(&store, &info, BM25);
        let gone = reader.documents(0).expect("documents");
        let mut batch = store.batch();
        let body = batch.page(gone.block).expect("page");
        kill(body, gone.block, 7, [3, 17]).expect("kills");
        batch.commit().expect("commits");
        documents.retain(|document| document.tid != tid(3) && document.tid != tid(17));
        let mut some = 0;
        for _ in 0..150 {
            let condition = condition(&mut rng, vocabulary, 2);
            let mut found = Vec::new();
            let each = &mut |tid| {
                found.push(tid);
                Ok(())
            };
            matches(&reader, &condition, each).expect("matches");
            let expected = documents.iter().filter(|document| holds(&condition, document));
            let expected: Vec<HeapTid> = expected.map(|document| document.tid).collect();
            assert_eq!(found, expected, "{condition:?}");
            some += usize::from(!found.is_empty());
        }
        assert!(some > 30, "{some}");
    }
}

#[test]
fn words_in_order() {
    let text = document(1, &[1, 2, 3]);
    let phrase = |words: &[u32], slop| {
        let words = (0..).zip(words.iter().map(|word| format!("w{word}")));
        holds(&Match::phrase(words, slop), &text)
    };
    assert!(phrase(&[1, 2], 0) && phrase(&[1, 2, 3], 0) && phrase(&[3], 0));
    assert!(!phrase(&[1, 3], 0) && phrase(&[1, 3], 1));
    assert!(!phrase(&[2, 1], 1) && phrase(&[2, 1], 2));
    assert!(!phrase(&[], 9) && !phrase(&[4], 9));
}
