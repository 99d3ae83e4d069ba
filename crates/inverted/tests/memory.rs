//! Builds take as much memory as they may, whatever the size of the index.

mod support;

use inverted::{Bulk, Document, Options, Posting, Scoring};
use memmap2::MmapMut;
use memory::refusing::{Refusing, alone, peak};
use pages::PAGE_BODY;
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
        let mut bulk = Bulk::new(options, b"", space).expect("begins");
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
