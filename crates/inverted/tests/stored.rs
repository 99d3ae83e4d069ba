//! Indexes that were written by earlier code are read by today's, which goes on with them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::PathBuf;

use crate::support::*;
use flate2::Compression;
use flate2::read::{GzDecoder, GzEncoder};
use inverted::{Options, insert, vacuum};
use pages::mem::MemStore;

const NAMES: [&str; 3] = ["positions", "frequencies", "weights"];
const ROWS: usize = 150;

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/stored/{name}.gz"))
}

fn add(store: &MemStore, rows: &mut BTreeMap<usize, Row>, row: usize, options: Options) {
    let document = document(row, if row % 40 == 9 { 1_800 } else { row % 20 }, options);
    insert(store, &document).expect("inserts");
    rows.insert(row, row_of(&document));
}

/// An index with a segment, dead documents in it, and a buffer.
fn written(options: Options) -> (MemStore, BTreeMap<usize, Row>) {
    let (store, mut rows) = (empty(options), BTreeMap::new());
    (0..ROWS).for_each(|row| add(&store, &mut rows, row, options));
    vacuum(&store, &mut |tid| row(tid) == 3).expect("vacuums");
    vacuum(&store, &mut |tid| row(tid) == 4).expect("vacuums");
    rows.retain(|row, _| ![3, 4].contains(row));
    (ROWS..ROWS + 30).for_each(|row| add(&store, &mut rows, row, options));
    (store, rows)
}

/// Writes the files anew, for a version of the format that refuses older ones.
#[test]
#[ignore = "writes into the sources"]
fn write() {
    for (options, name) in KINDS.into_iter().zip(NAMES) {
        let mut bytes = Vec::new();
        let pages = written(options).0.to_bytes();
        GzEncoder::new(&pages[..], Compression::best()).read_to_end(&mut bytes).expect("packs");
        fs::write(file(name), bytes).expect("writes");
    }
}

/// Rows without terms are not found by way of terms.
fn with_terms(rows: &BTreeMap<usize, Row>) -> BTreeMap<usize, Row> {
    rows.iter().filter(|(_, row)| !row.1.is_empty()).map(|(&i, row)| (i, row.clone())).collect()
}

#[test]
fn stored_indexes_are_read_and_changed() {
    for (options, name) in KINDS.into_iter().zip(NAMES) {
        let mut bytes = Vec::new();
        let packed = File::open(file(name)).expect("opens");
        GzDecoder::new(packed).read_to_end(&mut bytes).expect("unpacks");
        let store = MemStore::from_bytes(&bytes);
        let mut rows = written(options).1;
        assert_eq!(problems(&store), [], "{name}");
        let found = content(&store, VOCABULARY);
        assert!(with_terms(&found.rows) == with_terms(&rows), "{name}");
        (ROWS + 30..ROWS + 60).for_each(|row| add(&store, &mut rows, row, options));
        vacuum(&store, &mut |tid| row(tid).is_multiple_of(5)).expect("vacuums");
        rows.retain(|row, _| !row.is_multiple_of(5));
        expect(&store, &rows, name);
    }
}
