//! Whatever is done to an index, it holds what a map would.

use std::collections::BTreeMap;

use crate::support::*;
use inverted::{Heads, Query, Ranked, ScanOptions, Snapshot, insert, search, vacuum};
use pages::mem::MemStore;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

#[test]
fn inserts_are_found_at_once() {
    for options in KINDS {
        let (store, mut rows) = (empty(options), BTreeMap::new());
        for i in 0..300 {
            let document = document(i, 1 + i % 40, options);
            insert(&store, &document).expect("inserts");
            rows.insert(i, row_of(&document));
            if i % 50 == 0 {
                assert_eq!(content(&store, VOCABULARY), Content::of(&rows), "{options:?}");
            }
        }
        assert_eq!(content(&store, VOCABULARY), Content::of(&rows), "{options:?}");
    }
}

#[test]
fn an_index_holds_what_was_not_deleted() {
    for (seed, options) in (1..).zip(KINDS) {
        let mut rng = SmallRng::seed_from_u64(seed);
        let (store, mut rows, heads) = (empty(options), BTreeMap::new(), Heads::default());
        for _ in 0..6 {
            for _ in 0..rng.random_range(1..5_000) {
                let row = rng.random_range(0..10_000);
                if rows.contains_key(&row) {
                    continue;
                }
                let tokens = match rng.random_range(0..1000) {
                    0 => rng.random_range(0..3_000),
                    _ => rng.random_range(1..15),
                };
                let document = document(row, tokens, options);
                insert(&store, &document).expect("inserts");
                rows.insert(row, row_of(&document));
            }
            let (kept, share) = (rng.random_range(0..50), rng.random_range(2..20));
            let dead = |row: usize| row % 50 != kept && row.is_multiple_of(share);
            let before = rows.len();
            rows.retain(|&row, _| !dead(row));
            let stats = vacuum(&store, &mut |tid| dead(row(tid))).expect("vacuums");
            assert_eq!(stats.removed as usize, before - rows.len());
            assert_eq!(stats.remaining as usize, rows.len());
            assert_eq!(content(&store, VOCABULARY), Content::of(&rows), "{options:?}");
            // What is known of earlier segments changes nothing.
            for number in 0..20 {
                let terms = [number, number * 3, number * number].map(|n| (term(n, options), 1.0));
                let query = Query::new(terms);
                assert_eq!(hits(&store, &heads, &query), hits(&store, &Heads::default(), &query));
            }
        }
        assert!(Snapshot::read(&store).expect("reads").segments().len() < 5);
    }
}

fn hits(store: &MemStore, heads: &Heads, query: &Query) -> Vec<Ranked> {
    let (_, mut scan) = search(store, heads, query, ScanOptions::default()).expect("begins");
    std::iter::from_fn(|| scan.next().expect("finds")).collect()
}
