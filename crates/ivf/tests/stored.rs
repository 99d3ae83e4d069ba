//! Indexes that were written by earlier code are read by today's, which goes on with them.

use std::fs::{self, File};
use std::io::Read;
use std::path::PathBuf;

use crate::support::*;
use flate2::Compression;
use flate2::read::{GzDecoder, GzEncoder};
use ivf::{Quantization, insert, vacuum};
use pages::mem::MemStore;
use quant::Metric;

const ROWS: usize = 90;
const DIMS: usize = 32;

const STORED: [(Metric, Quantization, &str); 4] = [
    (Metric::L2, Quantization::Rabitq, "rabitq"),
    (Metric::L2, Quantization::Sq8, "sq8"),
    (Metric::Cosine, Quantization::None, "none"),
    (Metric::Hamming, Quantization::None, "bits"),
];

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/stored/{name}.gz"))
}

/// Writes the files anew, for a version of the format that refuses older ones: the first two thirds
/// of the rows, but one that was deleted.
#[test]
#[ignore = "writes into the sources"]
fn write() {
    for (metric, quantization, name) in STORED {
        let vectors = clustered(metric, ROWS, DIMS, 5);
        let store = built(options((metric, quantization), DIMS, 3), &vectors[..ROWS / 2]);
        for (i, vector) in vectors.iter().enumerate().take(ROWS * 2 / 3).skip(ROWS / 2) {
            insert(&store, vector, tid(i)).expect("inserts");
        }
        vacuum(&store, &mut |tid| row(tid) == 3).expect("vacuums");
        let mut bytes = Vec::new();
        let pages = store.to_bytes();
        GzEncoder::new(&pages[..], Compression::best()).read_to_end(&mut bytes).expect("packs");
        fs::write(file(name), bytes).expect("writes");
    }
}

/// The index is sound, and holds `there`, each of which is nearest to itself.
fn expect_rows(
    store: &MemStore,
    metric: Metric,
    vectors: &[Vec<f32>],
    there: impl Iterator<Item = usize>,
) {
    assert_eq!(problems(store), [], "{metric:?}");
    for i in there {
        assert_eq!(search(store, &vectors[i], all_lists(), 1), [i], "{metric:?}");
    }
}

#[test]
fn stored_indexes_are_read_and_changed() {
    for (metric, _, name) in STORED {
        let mut bytes = Vec::new();
        let packed = File::open(file(name)).expect("opens");
        GzDecoder::new(packed).read_to_end(&mut bytes).expect("unpacks");
        let (store, vectors) = (MemStore::from_bytes(&bytes), clustered(metric, ROWS, DIMS, 5));
        let first = ROWS * 2 / 3;
        expect_rows(&store, metric, &vectors, (0..first).filter(|&i| i != 3));
        for (i, vector) in vectors.iter().enumerate().skip(first) {
            insert(&store, vector, tid(i)).expect("inserts");
        }
        vacuum(&store, &mut |tid| [5, first].contains(&row(tid))).expect("vacuums");
        let left = (0..ROWS).filter(|i| ![3, 5, first].contains(i));
        expect_rows(&store, metric, &vectors, left);
    }
}
