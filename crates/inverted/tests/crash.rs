//! Crash windows: after any batch the next may be lost. What is left is sound, and every row whose
//! insert had ended is found.

use std::collections::BTreeMap;

use crate::support::*;
use inverted::{Options, cleanup, insert, statistics, vacuum};
use pages::mem::MemStore;
use pages::{Error, PageStore};

/// An index with segments, a buffer and free pages.
fn used(options: Options, rows: usize) -> (MemStore, BTreeMap<usize, Row>) {
    let store = empty(options);
    let mut held = BTreeMap::new();
    for i in 0..rows {
        let document = document(i, tokens(i), options);
        insert(&store, &document).expect("inserts");
        held.insert(i, row_of(&document));
    }
    (store, held)
}

/// Now and then there is a document that takes several pages, or is too large for the buffer.
fn tokens(row: usize) -> usize {
    match row {
        _ if row % 97 == 5 => 3_000,
        _ if row % 301 == 7 => 30_000,
        _ => 1 + row % 60,
    }
}

#[test]
fn inserts_survive_a_crash_at_any_batch() {
    for options in [KINDS[0], KINDS[2]] {
        let (sound, rows) = used(options, 280);
        for at in 0.. {
            let (store, mut rows) = (sound.clone(), rows.clone());
            store.crash_after(at * 11);
            let mut crashed = false;
            for i in 280..400 {
                let document = document(i, tokens(i), options);
                match insert(&store, &document) {
                    Ok(()) => {
                        rows.insert(i, row_of(&document));
                    }
                    Err(error) => {
                        assert_eq!(error, Error::Crashed);
                        crashed = true;
                        // The row itself may be there.
                        if content(&store, VOCABULARY).rows.contains_key(&i) {
                            rows.insert(i, row_of(&document));
                        }
                        break;
                    }
                }
            }
            store.recover();
            expect(&store, &rows, &format!("{options:?} after {at} batches"));
            for i in 700..760 {
                let document = document(i, tokens(i), options);
                insert(&store, &document).expect("inserts");
                rows.insert(i, row_of(&document));
            }
            cleanup(&store).expect("cleans up");
            expect(&store, &rows, &format!("{options:?} after {at} batches and going on"));
            let left = statistics(&store).expect("reads");
            assert_eq!(left.taken_pages, 0);
            if !crashed {
                break;
            }
        }
    }
}

#[test]
fn vacuum_survives_a_crash_at_any_batch() {
    for options in [KINDS[0], KINDS[2]] {
        let (sound, rows) = used(options, 250);
        for share in [17, 3] {
            let dead = |row: usize| row.is_multiple_of(share);
            let mut left = rows.clone();
            left.retain(|&row, _| !dead(row));
            for at in 0.. {
                let store = sound.clone();
                store.crash_after(at);
                let crashed = vacuum(&store, &mut |tid| dead(row(tid))).is_err();
                store.recover();
                assert_eq!(problems(&store), [], "{options:?} after {at} batches");
                let found = content(&store, VOCABULARY).rows;
                assert!(left.iter().all(|(row, of)| found.get(row) == Some(of)));
                // Frequencies are those of the rows that are left, whatever these are.
                let cleaned = store.clone();
                cleanup(&cleaned).expect("cleans up");
                expect(&cleaned, &found, &format!("{options:?} after {at} batches"));
                // The dead are told again.
                vacuum(&store, &mut |tid| dead(row(tid))).expect("vacuums");
                expect(&store, &left, &format!("{options:?} after {at} batches"));
                if !crashed {
                    assert!(at > 3, "a vacuum of {at} batches");
                    break;
                }
            }
        }
    }
}

/// Pages are used again: an index that is written over and over does not grow.
#[test]
fn pages_are_used_again() {
    let store = empty(TEXT);
    let mut rows = BTreeMap::new();
    let mut blocks = Vec::new();
    for round in 0..8 {
        for i in 0..2_000 {
            let document = document(round * 2_000 + i, 20, TEXT);
            insert(&store, &document).expect("inserts");
            rows.insert(round * 2_000 + i, row_of(&document));
        }
        vacuum(&store, &mut |tid| row(tid) / 2_000 != round).expect("vacuums");
        rows.retain(|row, _| row / 2_000 == round);
        expect(&store, &rows, &format!("round {round}"));
        blocks.push(store.blocks().expect("counts"));
    }
    assert!(blocks[7] <= blocks[3] + 2, "{blocks:?}");
}

/// While a reader looks on, pages that it may read are not used again.
#[test]
fn pages_that_readers_see_are_kept() {
    let (store, rows) = used(TEXT, 400);
    vacuum(&store, &mut |_| false).expect("vacuums");
    store.begin_reader();
    let before = store.clone();
    let mut now = rows.clone();
    for i in 1_000..4_000 {
        let document = document(i, 100, TEXT);
        insert(&store, &document).expect("inserts");
        now.insert(i, row_of(&document));
        if i % 300 == 0 {
            vacuum(&store, &mut |_| false).expect("vacuums");
        }
    }
    expect(&store, &now, "with a reader");
    // With its directory, all that it finds is as it was.
    let old = before.read(0).expect("reads").to_vec();
    let seen = store.clone();
    seen.scribble(0, |page| page.copy_from_slice(&old));
    assert!(content(&seen, VOCABULARY) == Content::of(&rows));
    store.end_reader();
    vacuum(&store, &mut |_| false).expect("vacuums");
    expect(&store, &now, "after the reader");
    assert_eq!(statistics(&store).expect("reads").waiting_pages, 0);
}
