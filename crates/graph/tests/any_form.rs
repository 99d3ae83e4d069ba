//! Recall on data unlike embeddings, for all forms and types of vectors.

use crate::support::*;
use distributions::{Column, Conversion};
use graph::{Bulk, Hnsw, IndexOptions, Scan};
use kernels::sparse::Sparse;
use pages::mem::MemStore;
use quant::Metric;
use space::Space;
use vectors::Form;

/// Width of the searches: the default.
const EF: usize = 40;

/// Queries of each distribution.
const QUERIES: usize = 40;

/// Nearest rows that are searched for.
const K: usize = 10;

/// The share of the ten nearest that searches must find.
const FLOOR: f64 = 0.95;

/// Columns of other types than `vector`, none for that, and how an index holds their vectors.
const FORMS: [(Option<Column>, Form); 8] = [
    (None, Form::Halves),
    (None, Form::Sq8),
    (None, Form::Rabitq),
    (Some(Column::Halves), Form::Halves),
    (Some(Column::Bfloats), Form::Halves),
    (Some(Column::Bytes), Form::Bytes),
    (Some(Column::Bits), Form::Bits),
    (Some(Column::Sparse), Form::Sparse),
];

/// A vector in the form of its column.
enum Row {
    Dense(Vec<f32>),
    Sparse(Vec<u32>, Vec<f32>),
}

impl Row {
    fn new(form: Form, vector: &[f32]) -> Self {
        if form != Form::Sparse {
            return Self::Dense(vector.to_vec());
        }
        let (indices, values) =
            (0..).zip(vector).filter(|&(_, &x)| x != 0.0).map(|(i, &x)| (i, x)).unzip();
        Self::Sparse(indices, values)
    }

    fn view(&self) -> graph::Vector<'_> {
        match self {
            Self::Dense(vector) => vector.into(),
            Self::Sparse(indices, values) => Sparse { indices, values }.into(),
        }
    }
}

fn built(options: IndexOptions, rows: &[Row]) -> MemStore {
    let mut bulk = Bulk::new(options, Space::unlimited()).expect("fits");
    for (i, row) in rows.iter().enumerate() {
        bulk.push(row.view(), tid(i)).expect("takes the row");
    }
    written(bulk)
}

fn grown(options: IndexOptions, rows: &[Row]) -> MemStore {
    let store = empty(options);
    for (i, row) in rows.iter().enumerate() {
        graph::insert(&store, row.view(), tid(i)).expect("inserts");
    }
    store
}

/// What searches find and cost.
struct Outcome {
    recall: f64,
    /// Elements expanded a search.
    expanded: f64,
    /// Rows fetched from the table a search.
    fetched: f64,
    /// Share of the rows that are nearer than the index says they are at least.
    wrong: f64,
}

/// What summing in single precision may be off by.
fn rounding(metric: Metric, a: &[f32], b: &[f32], distance: f64) -> f64 {
    let norm = |x: &[f32]| x.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt();
    1e-6 * match metric {
        Metric::InnerProduct => norm(a) * norm(b),
        Metric::Cosine => 1.0,
        Metric::L2 | Metric::L1 | Metric::Hamming | Metric::Jaccard => distance,
    }
}

/// Searches as a host does that fetches a row where the index knows a bound of its distance only.
fn searched(
    store: &MemStore,
    metric: Metric,
    vectors: &[Vec<f32>],
    queries: &[(Row, &Vec<f32>)],
) -> Outcome {
    let (mut found, mut expanded, mut fetched, mut seen, mut wrong) = (0, 0, 0, 0, 0);
    for (query, dense) in queries {
        let distance = |i: usize| distance(metric, dense, &vectors[i]);
        let mut exact: Vec<f64> = (0..vectors.len()).map(distance).collect();
        exact.sort_unstable_by(f64::total_cmp);
        let bound = exact[K - 1] + 1e-5 * exact[K - 1].abs();
        let hnsw = Hnsw::open(store).expect("opens");
        let mut scan = Scan::new(hnsw, Some(query.view()), scan_options(EF));
        let mut distances: Vec<f64> = Vec::new();
        while let Some(hit) = scan.next(store).expect("scans") {
            if distances.iter().filter(|&&distance| distance <= hit.distance).count() >= K {
                break;
            }
            let distance = distance(row(hit.tid));
            let slack = rounding(metric, dense, &vectors[row(hit.tid)], distance);
            wrong += u32::from(hit.distance > distance + slack);
            distances.push(distance);
            (seen, fetched) = (seen + 1, fetched + usize::from(!hit.exact));
        }
        distances.sort_unstable_by(f64::total_cmp);
        found += distances.iter().take(K).filter(|&&distance| distance <= bound).count();
        expanded += scan.stats().expanded;
    }
    let per_query = |count: f64| count / queries.len() as f64;
    Outcome {
        recall: per_query(found as f64 / K as f64),
        expanded: per_query(expanded as f64),
        fetched: per_query(fetched as f64),
        wrong: wrong as f64 / seen as f64,
    }
}

/// With `ROWS`, `ONLY` (a part of a name) and `FORM` in the environment, other sizes, some of the data
/// and some of the forms.
#[test]
fn all_forms_find_the_neighbors_in_any_data() {
    let count = rows_asked(600);
    let form_asked = std::env::var("FORM").unwrap_or_default();
    let mut low = Vec::new();
    for data in distributions_asked() {
        for (column, form) in FORMS {
            let what = column.map_or(format!("{form:?}"), |column| format!("column {column:?}"));
            if !what.contains(&form_asked) {
                continue;
            }
            let (mut vectors, mut queries) = (data.rows(count), data.queries(QUERIES));
            let mut metric = data.metric;
            if let Some(column) = column {
                let conversion = Conversion::new(column, metric, &vectors);
                metric = conversion.metric(metric);
                for vector in vectors.iter_mut().chain(&mut queries) {
                    *vector = conversion.apply(vector);
                }
            }
            if column.is_none() && !forms(metric).contains(&form) {
                continue;
            }
            let options = IndexOptions { form, ..options(metric, vectors[0].len()) };
            let rows: Vec<Row> = vectors.iter().map(|vector| Row::new(form, vector)).collect();
            let asked: Vec<(Row, &Vec<f32>)> =
                queries.iter().map(|query| (Row::new(form, query), query)).collect();
            let stores = [("built", built(options, &rows)), ("grown", grown(options, &rows))];
            for (how, store) in stores {
                let Outcome { recall, expanded, fetched, wrong } =
                    searched(&store, metric, &vectors, &asked);
                println!(
                    "{:35} {what:15} {how}: {recall:.3}, {expanded:6.1} expanded, {fetched:6.1} fetched, {wrong:.5} wrong",
                    data.name
                );
                // The bound of few bits is one of probability.
                let most = if form == Form::Rabitq { 0.001 } else { 0.0 };
                assert!(wrong <= most, "{} {what} {how}: {wrong}", data.name);
                let floor = if data.name == "queries unlike the rows" { 0.80 } else { FLOOR };
                if recall < floor {
                    low.push((data.name, what.clone(), how, recall));
                }
            }
        }
    }
    assert!(low.is_empty(), "{low:#?}");
}
