//! Recall at default settings on data unlike embeddings, in every state of an index.

use distributions::Distribution;
use pg_test::TestDb;
use pg_test::any_data::{ColumnType, Sample, State, recall_by_state};

const ROWS: usize = 1_000;
const QUERIES: usize = 30;

/// Shares of the ten nearest that searches must find.
const HNSW: f64 = 0.95;
/// `ivf` searches as many lists as it measured 0.95 to need; a few queries tell that not exactly.
const IVF: f64 = 0.93;

/// Data for both access methods.
const DATA: [&str; 10] = [
    "uniform, 3 dimensions, cosine",
    "20 clusters 20,000 spreads apart",
    "clusters of sizes by a power law",
    "near-duplicates, 5 % apart, IP",
    "offset of 1,000, 128 dimensions",
    "places on a globe, a meter apart",
    "scales over ten orders",
    "zeros and ones",
    "an outlier at 1e7, the first row",
    "drift",
];

/// Data for `hnsw` alone: `ivf` has no L1, and finds too few of rows that are repeated.
const DATA_HNSW: [&str; 4] =
    ["offset of 1,000, L1", "every row ten times", "values around 1e12", "heavy-tailed norms, IP"];

/// Data for each column type and quantization.
const FEW: [&str; 2] = ["50 clusters 200 spreads apart", "near-duplicates, 1 % apart, cosine"];

fn some(names: &[&str]) -> Vec<Distribution> {
    let named = distributions::all().into_iter().filter(|data| names.contains(&data.name));
    let named: Vec<_> = named.collect();
    assert_eq!(named.len(), names.len(), "not all of {names:?} are known");
    named
}

/// Fails unless an index reaches `floor` on all `data` in every state. `with` is its WITH clause, or
/// empty.
#[track_caller]
fn reaches(floor: f64, method: &str, with: &str, column: &str, data: &[Distribution]) {
    let column = ColumnType::by_name(column).unwrap();
    let mut db = TestDb::new();
    let mut low = Vec::new();
    for data in data {
        let sample = Sample::new(data, column, ROWS, QUERIES);
        let class = &sample.class;
        let create_index =
            format!("CREATE INDEX items_v ON items USING {method} (v {class}) {with}");
        let recall = recall_by_state(&mut db, &sample, &create_index).unwrap();
        println!("{method} {with} {}, {}: {recall:.3?}", column.name, data.name);
        let states = State::ALL.iter().zip(recall).filter(|&(_, recall)| recall < floor);
        low.extend(states.map(|(state, recall)| (data.name, state.name(), recall)));
    }
    assert!(low.is_empty(), "{method} {with} {}: {low:?}", column.name);
}

#[test]
fn hnsw_finds_the_neighbors() {
    reaches(HNSW, "hnsw", "", "vector", &some(&DATA));
    reaches(HNSW, "hnsw", "", "vector", &some(&DATA_HNSW));
}

#[test]
fn ivf_finds_the_neighbors() {
    reaches(IVF, "ivf", "", "vector", &some(&DATA));
}

#[test]
fn hnsw_finds_the_neighbors_in_every_column_type() {
    for column in ["halfvec", "bf16vec", "i8vec", "bit", "sparsevec"] {
        reaches(HNSW, "hnsw", "", column, &some(&FEW));
    }
}

#[test]
fn ivf_finds_the_neighbors_in_every_column_type() {
    for column in ["halfvec", "bf16vec", "i8vec"] {
        reaches(IVF, "ivf", "", column, &some(&FEW));
    }
}

#[test]
fn quantized_indexes_find_the_neighbors() {
    for quantization in ["sq8", "rabitq"] {
        let with = format!("WITH (quantization = {quantization})");
        reaches(HNSW, "hnsw", &with, "vector", &some(&FEW));
        reaches(IVF, "ivf", &with, "vector", &some(&FEW));
    }
}
