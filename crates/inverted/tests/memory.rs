//! Builds take as much memory as they may, whatever the size of the index.

mod support;

use std::cell::Cell;

use inverted::{Bulk, Document, Options, Posting, Scoring, dimension};
use memmap2::MmapMut;
use memory::refusing::{Refusing, alone, peak};
use pages::{Error, PAGE_BODY};
use space::Space;
use support::*;

#[global_allocator]
static ALLOCATOR: Refusing = Refusing;

/// Terms that all documents hold, and those that each has alone.
const SHARED: u32 = 30;
const OWN: u32 = 12;
const ROWS: usize = 30_000;

fn wide(row: usize) -> Document {
    let own =
        (0..OWN).map(|i| format!("x{:08}", (row as u32 * OWN + i).wrapping_mul(2_654_435_761)));
    let mut terms: Vec<String> = own.collect();
    // Lists of all documents lie between lists of one.
    terms.extend((0..SHARED).map(|i| format!("x{:08}y", i * 130_000_000)));
    terms.sort();
    let postings = terms.into_iter().map(|term| Posting {
        term: term.into_bytes(),
        value: 1,
        positions: Vec::new(),
    });
    Document { tid: tid(row), length: OWN + SHARED, postings: postings.collect() }
}

/// With a dictionary of several levels, and lists of several groups.
#[test]
fn pages_do_not_wait_for_each_other() {
    let _alone = alone();
    const MEMORY: usize = 1 << 20;
    let options = Options { scoring: Scoring::Bm25 { k1: 1.2, b: 0.75 }, positions: false };
    let (peak, pages) = peak(|| {
        let space = Space::new(MEMORY, Box::new(MmapMut::map_anon));
        let mut bulk = Bulk::new(options, b"", space, Box::new(|| Ok(()))).expect("begins");
        (0..ROWS).for_each(|row| bulk.push(&wide(row)).expect("takes"));
        let mut pages = 0;
        let append = &mut |_: &[u8]| {
            pages += 1;
            Ok(())
        };
        drop(bulk.write(append).expect("writes"));
        pages
    });
    assert!(pages * PAGE_BODY > 4 * MEMORY, "{pages} pages");
    assert!(peak < 2 * MEMORY, "{pages} pages, {peak} bytes");
}

/// The page of the dictionary stays open while the lists of its terms are written.
#[test]
fn pages_behind_a_long_list_wait_in_the_file() {
    let _alone = alone();
    const MEMORY: usize = 256 << 10;
    let options = Options { scoring: Scoring::InnerProduct, positions: false };
    let (peak, pages) = peak(|| {
        let space = Space::new(MEMORY, Box::new(MmapMut::map_anon));
        let mut bulk = Bulk::new(options, b"", space, Box::new(|| Ok(()))).expect("begins");
        for row in 0..100_000 {
            let posting = |number| Posting {
                term: dimension(number).to_vec(),
                value: 1f32.to_bits(),
                positions: Vec::new(),
            };
            let postings = (0..5).map(posting).collect();
            let document = Document { tid: tid(row), length: 5, postings };
            bulk.push(&document).expect("takes");
        }
        let mut pages = 0;
        let append = &mut |_: &[u8]| {
            pages += 1;
            Ok(())
        };
        drop(bulk.write(append).expect("writes"));
        pages
    });
    assert!(pages * PAGE_BODY > 8 * MEMORY, "{pages} pages");
    assert!(peak < 4 * MEMORY, "{pages} pages, {peak} bytes");
}

#[test]
fn a_build_can_be_ended() {
    let _alone = alone();
    let build = |most: usize| {
        let left = Cell::new(most);
        let pause = || match left.get().checked_sub(1) {
            Some(less) => {
                left.set(less);
                Ok(())
            }
            None => Err(Error::Interrupted),
        };
        let space = Space::new(1 << 20, Box::new(MmapMut::map_anon));
        let mut bulk = Bulk::new(TEXT, b"", space, Box::new(pause))?;
        (0..1_000).try_for_each(|row| bulk.push(&document(row, 100, TEXT)))?;
        bulk.write(&mut |_| Ok(())).map(drop)?;
        Ok(most - left.get())
    };
    let pauses = build(usize::MAX).expect("builds");
    assert!(pauses > 100, "{pauses}");
    for most in (0..pauses).step_by(pauses / 20) {
        assert_eq!(build(most), Err(Error::Interrupted), "after {most} of {pauses}");
    }
}

#[test]
fn a_check_takes_no_memory_for_pages_that_are_not() {
    let _alone = alone();
    let store = empty(TEXT);
    store.rewrite(0, |body| body[20..24].fill(0xFF));
    let (peak, problems) = peak(|| problems(&store));
    assert!(problems.iter().any(|problem| problem.what.contains("more pages")), "{problems:?}");
    assert!(peak < 1 << 20, "{peak} bytes");
}
