//! Others act while an operation is at work: nothing is lost, and nothing is found twice.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use crate::support::*;
use inverted::{Heads, Match, Reader, Snapshot, find, insert, statistics, vacuum};
use pages::mem::{Eventful, MemStore, Step};
use pages::{Error, PageStore, Result};

const STEPS: &[Step] = &[Step::Read, Step::Batch, Step::Pause];

/// The rows of an index with segments and a buffer.
fn filled(options: inverted::Options, count: usize) -> (MemStore, BTreeMap<usize, Row>) {
    let (store, mut rows) = (empty(options), BTreeMap::new());
    for i in 0..count {
        let document = document(i, if i % 20 == 3 { 2_500 } else { 1 + i % 30 }, options);
        insert(&store, &document).expect("inserts");
        rows.insert(i, row_of(&document));
    }
    (store, rows)
}

#[test]
fn rows_that_come_amid_a_vacuum_stay() {
    for options in [KINDS[0], KINDS[2]] {
        let (sound, rows) = filled(options, 420);
        let dead = |row: usize| row.is_multiple_of(3);
        for left in (0..).step_by(7) {
            let store = sound.clone();
            let mut now = rows.clone();
            now.retain(|&row, _| !dead(row));
            let new = RefCell::new(BTreeMap::new());
            let eventful = Eventful::once(&store, STEPS, left, || {
                for i in (1_000..1_060).filter(|&row| !dead(row)) {
                    let document = document(i, if i == 1_030 { 20_000 } else { 20 }, options);
                    insert(&store, &document).expect("inserts");
                    new.borrow_mut().insert(i, row_of(&document));
                }
            });
            vacuum(&eventful, &mut |tid| dead(row(tid))).expect("vacuums");
            let happened = eventful.happened();
            now.append(&mut new.borrow_mut());
            expect(&store, &now, &format!("{options:?}, after {left} steps"));
            if !happened {
                break;
            }
        }
    }
}

#[test]
fn rows_that_come_amid_inserts_stay() {
    let options = KINDS[1];
    let (sound, rows) = filled(options, 300);
    for every in [1usize, 3, 10, 40] {
        let (store, mut now) = (sound.clone(), rows.clone());
        let (steps, next, new) = (Cell::new(0), Cell::new(5_000), RefCell::new(BTreeMap::new()));
        let eventful = Eventful::each(&store, STEPS, || {
            steps.set(steps.get() + 1);
            if steps.get() % every == 0 && next.get() < 6_000 {
                next.set(next.get() + 1);
                let document = document(next.get(), 40, options);
                insert(&store, &document).expect("inserts");
                new.borrow_mut().insert(next.get(), row_of(&document));
            }
        });
        for i in 1_000..1_700 {
            let document = document(i, if i % 50 == 3 { 2_500 } else { 60 }, options);
            insert(&eventful, &document).expect("inserts");
            now.insert(i, row_of(&document));
        }
        assert!(eventful.happened());
        now.append(&mut new.borrow_mut());
        expect(&store, &now, &format!("an insert every {every} steps"));
    }
}

/// The rows that have any of the terms, as a search reads them.
fn rows_found<S: PageStore>(store: &S) -> Result<BTreeSet<usize>> {
    Snapshot::undisturbed(store, |snapshot| {
        let options = snapshot.options();
        let mut found = BTreeSet::new();
        let mut terms: Vec<_> = (0..VOCABULARY).map(|number| term(number, options)).collect();
        terms.sort();
        let terms: Vec<&[u8]> = terms.iter().map(Vec::as_slice).collect();
        for (document, _) in snapshot.buffer_matches(store, &terms, true)?.documents() {
            assert!(found.insert(row(document.tid)));
        }
        for info in snapshot.segments() {
            let reader = Reader::open(store, info, options.scoring)?;
            let mut tids = Vec::new();
            for group in 0..reader.groups() {
                tids.extend(reader.documents(group)?.tids);
            }
            let mut of_segment = BTreeSet::new();
            let mut terms = reader.terms();
            while let Some((_, entry)) = terms.next()? {
                let mut postings = reader.postings(&entry)?;
                while let Some(ordinal) = postings.ordinal() {
                    of_segment.insert(row(tids[ordinal as usize]));
                    postings.advance()?;
                }
            }
            assert!(found.is_disjoint(&of_segment));
            found.append(&mut of_segment);
        }
        Ok(found)
    })
}

/// As on a standby, where nobody knows of a search and pages are used again under it.
#[test]
fn a_search_begins_anew_where_pages_are_used_again() {
    let options = KINDS[0];
    let (sound, rows) = filled(options, 420);
    let before: BTreeSet<usize> = rows.keys().copied().collect();
    let after: BTreeSet<usize> = before.iter().copied().chain(1_000..1_500).collect();
    for left in (0..).step_by(5) {
        let store = sound.clone();
        let eventful = Eventful::once(&store, STEPS, left, || {
            for i in 1_000..1_500 {
                insert(&store, &document(i, 50, options)).expect("inserts");
                if i % 100 == 0 {
                    vacuum(&store, &mut |_| false).expect("vacuums");
                }
            }
        });
        let found = rows_found(&eventful).expect("reads");
        assert!(found.is_superset(&before) && found.is_subset(&after), "after {left} steps");
        if !eventful.happened() {
            break;
        }
    }
}

/// Pages of the buffer are used again soon, so a search that takes long must not need them at its end.
#[test]
fn a_search_for_matches_ends_while_the_buffer_is_written_out_again_and_again() {
    let options = KINDS[1];
    let store = empty(options);
    let next = Cell::new(0);
    let insert_more = || {
        for _ in 0..400 {
            insert(&store, &document(next.get(), 2_500, options)).expect("inserts");
            next.set(next.get() + 1);
        }
    };
    insert_more();
    store.begin_reader();
    let reads = Cell::new(0);
    let eventful = Eventful::each(&store, &[Step::Read], || {
        reads.set(reads.get() + 1);
        if reads.get() % 500 == 0 {
            assert!(next.get() < 4_000, "begins anew forever");
            insert_more();
        }
    });
    let terms = (0..100).map(|number| Match::Term(term(number, options)));
    let any = Match::AtLeast(1, terms.collect());
    let mut found = BTreeSet::new();
    let each = &mut |tid| {
        found.insert(row(tid));
        Ok(())
    };
    find(&eventful, &Heads::default(), &any, each).expect("finds");
    assert!(eventful.happened());
    assert!((0..400).all(|row| found.contains(&row)));
}

#[test]
fn statistics_are_read_while_pages_are_taken() {
    let options = KINDS[0];
    let (sound, rows) = filled(options, 200);
    for i in 300..310 {
        insert(&sound, &document(i, 30_000, options)).expect("inserts");
    }
    vacuum(&sound, &mut |tid| row(tid) >= 50).expect("vacuums");
    assert!(rows.len() > 50 && statistics(&sound).expect("reads").free_pages > 0);
    let large = document_of(1_000, 80_000, 30_000, options);
    for (left, batches) in
        (0..60).flat_map(|left| [3, 6, 9, 12, 16, 20, 25].map(|batches| (left, batches)))
    {
        let store = sound.clone();
        let eventful = Eventful::once(&store, STEPS, left, || {
            // Takes pages of the free list, writes some, and fails then.
            store.crash_after(batches);
            drop(insert(&store, &large));
            store.recover();
        });
        let found = statistics(&eventful).expect("reads");
        assert!((50..=51).contains(&found.documents.documents));
    }
}

#[test]
fn damage_is_found_while_others_write() {
    let (store, _) = filled(KINDS[0], 200);
    vacuum(&store, &mut |_| false).expect("vacuums");
    let root = Snapshot::read(&store).expect("reads").segments()[0].root;
    store.rewrite(root, |page| page[20] ^= 0xFF);
    store.interrupt_after(100_000);
    // The epoch grows before every page that is read.
    let eventful = Eventful::each(&store, &[Step::Read], || {
        store.rewrite(0, |page| page[48] = page[48].wrapping_add(1));
    });
    let found = rows_found(&eventful);
    assert!(matches!(found, Err(Error::Corrupted { .. })), "{found:?}");
    assert_ne!(problems(&eventful), []);
}
