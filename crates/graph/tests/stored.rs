//! Indexes that were written by earlier code are read by today's, which goes on with them.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::Read;
use std::path::PathBuf;

use crate::support::*;
use flate2::Compression;
use flate2::read::{GzDecoder, GzEncoder};
use graph::{Bulk, Hnsw, IndexOptions, Scan, Vector};
use kernels::sparse::Sparse;
use pages::mem::MemStore;
use quant::Metric;
use vectors::Form;

const ROWS: usize = 24;
const DIMS: usize = 32;

const KINDS: [(Form, Metric); 7] = [
    (Form::Floats, Metric::L2),
    (Form::Halves, Metric::Cosine),
    (Form::Sq8, Metric::L2),
    (Form::Rabitq, Metric::Cosine),
    (Form::Sparse, Metric::L2),
    (Form::Bytes, Metric::L2),
    (Form::Bits, Metric::Hamming),
];

/// A vector as its index takes it.
struct Row {
    dense: Vec<f32>,
    /// Where the form is sparse.
    indices: Option<Vec<u32>>,
}

impl Row {
    fn view(&self) -> Vector<'_> {
        match &self.indices {
            Some(indices) => Sparse { indices, values: &self.dense }.into(),
            None => (&self.dense).into(),
        }
    }
}

fn rows(form: Form) -> Vec<Row> {
    let vectors = clustered(ROWS, DIMS, 5);
    let vectors = if form == Form::Bits { bits(&vectors) } else { vectors };
    let row = |mut dense: Vec<f32>| {
        if form == Form::Bytes {
            dense.iter_mut().for_each(|x| *x = (*x * 30.0).round());
        }
        if form != Form::Sparse {
            return Row { dense, indices: None };
        }
        let large = (0..DIMS as u32).filter(|&i| dense[i as usize].abs() > 0.7).collect();
        dense.retain(|x| x.abs() > 0.7);
        Row { dense, indices: Some(large) }
    };
    vectors.into_iter().map(row).collect()
}

fn file(form: Form) -> PathBuf {
    let name = format!("tests/stored/{form:?}.gz").to_lowercase();
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Writes the files anew, for a version of the format that refuses older ones: the first two thirds
/// of the rows, but one that was deleted.
#[test]
#[ignore = "writes into the sources"]
fn write() {
    for (form, metric) in KINDS {
        let options = IndexOptions { form, m: 4, ..options(metric, DIMS) };
        let rows = rows(form);
        let mut bulk = Bulk::new(options, space::Space::unlimited()).expect("fits");
        for (i, row) in rows[..ROWS / 2].iter().enumerate() {
            bulk.push(row.view(), tid(i)).expect("takes the row");
        }
        let store = written(bulk);
        for (i, row) in rows.iter().enumerate().take(ROWS * 2 / 3).skip(ROWS / 2) {
            graph::insert(&store, row.view(), tid(i)).expect("inserts");
        }
        vacuum_rows(&store, &HashSet::from([3]));
        let mut bytes = Vec::new();
        let pages = store.to_bytes();
        GzEncoder::new(&pages[..], Compression::best()).read_to_end(&mut bytes).expect("packs");
        fs::write(file(form), bytes).expect("writes");
    }
}

/// The index is sound, and each of `there` is nearest to itself.
fn expect_rows(store: &MemStore, form: Form, rows: &[Row], there: impl Iterator<Item = usize>) {
    assert_eq!(problems(store), [], "{form:?}");
    for i in there {
        let hnsw = Hnsw::open(store).expect("opens");
        let mut scan = Scan::new(hnsw, Some(rows[i].view()), scan_options(40));
        let hit = scan.next(store).expect("scans").expect("finds");
        assert_eq!(row(hit.tid), i, "{form:?}");
    }
}

#[test]
fn stored_indexes_are_read_and_changed() {
    for (form, _) in KINDS {
        let mut bytes = Vec::new();
        let packed = File::open(file(form)).expect("opens");
        GzDecoder::new(packed).read_to_end(&mut bytes).expect("unpacks");
        let (store, rows) = (MemStore::from_bytes(&bytes), rows(form));
        let first = ROWS * 2 / 3;
        expect_rows(&store, form, &rows, (0..first).filter(|&i| i != 3));
        for (i, row) in rows.iter().enumerate().skip(first) {
            graph::insert(&store, row.view(), tid(i)).expect("inserts");
        }
        vacuum_rows(&store, &HashSet::from([5, first]));
        let left = (0..ROWS).filter(|i| ![3, 5, first].contains(i));
        expect_rows(&store, form, &rows, left);
    }
}
