//! Whatever finite numbers vectors are made of, an index of them is sound and returns every row.

use crate::support::*;
use distributions::extremes;
use graph::{Bulk, Hnsw, IndexOptions, Iterative, Scan, ScanOptions, Vector, vacuum};
use kernels::sparse::{self, Sparse};
use pages::mem::MemStore;
use quant::Metric;
use vectors::Form;

const ROWS: usize = 120;

/// Extreme vectors, as `form` stores them.
fn vectors(dims: usize, form: Form, seed: u64) -> Vec<Vec<f32>> {
    let mut vectors = extremes(seed, ROWS, dims);
    for x in vectors.iter_mut().flatten() {
        match form {
            Form::Bits => *x = f32::from(u8::from(*x > 0.0)),
            Form::Bytes => *x = f32::from(*x as i8),
            Form::Floats | Form::Halves | Form::Sq8 | Form::Rabitq | Form::Sparse => {}
        }
    }
    vectors
}

/// The distance that the SQL operator gives; infinite where that is not a number.
fn operator(metric: Metric, a: &[f32], b: &[f32]) -> f64 {
    let distance = match metric {
        Metric::L2 => f64::from(kernels::l2_squared(a, b)).sqrt(),
        Metric::InnerProduct => -f64::from(kernels::inner_product(a, b)),
        Metric::Cosine => {
            let terms = kernels::cosine_terms(a, b);
            let norms = f64::from(terms.norm_a) * f64::from(terms.norm_b);
            1.0 - (f64::from(terms.dot) / norms.sqrt()).clamp(-1.0, 1.0)
        }
        Metric::L1 => f64::from(kernels::l1(a, b)),
        Metric::Hamming | Metric::Jaccard => distance(metric, a, b),
    };
    if distance.is_nan() { f64::INFINITY } else { distance }
}

/// A vector in the form of its index.
struct Row {
    dense: Vec<f32>,
    indices: Vec<u32>,
    values: Vec<f32>,
    sparse: bool,
}

impl Row {
    fn new(dense: Vec<f32>, form: Form) -> Self {
        let indices = (0..dense.len() as u32).filter(|&i| dense[i as usize] != 0.0).collect();
        let values = dense.iter().copied().filter(|&x| x != 0.0).collect();
        Self { dense, indices, values, sparse: form == Form::Sparse }
    }

    fn elements(&self) -> Sparse<'_> {
        Sparse { indices: &self.indices, values: &self.values }
    }

    fn view(&self) -> Vector<'_> {
        if self.sparse { self.elements().into() } else { (&self.dense).into() }
    }

    fn distance(&self, metric: Metric, other: &Self) -> f64 {
        let (a, b) = (self.elements(), other.elements());
        let distance = match metric {
            _ if !self.sparse => operator(metric, &self.dense, &other.dense),
            Metric::L2 => f64::from(sparse::l2_squared(a, b)).sqrt(),
            Metric::InnerProduct => -f64::from(sparse::inner_product(a, b)),
            Metric::L1 => f64::from(sparse::l1(a, b)),
            Metric::Cosine | Metric::Hamming | Metric::Jaccard => {
                let terms = sparse::cosine_terms(a, b);
                let norms = f64::from(terms.norm_a) * f64::from(terms.norm_b);
                1.0 - (f64::from(terms.dot) / norms.sqrt()).clamp(-1.0, 1.0)
            }
        };
        if distance.is_nan() { f64::INFINITY } else { distance }
    }
}

/// Every row of `rows` comes once, none with a bound above its distance, and none that is said to be
/// exact and is not.
fn expect_rows(what: &str, store: &MemStore, all: &[Row], rows: &[usize], query: &Row) {
    let hnsw = Hnsw::open(store).expect("opens");
    let metric = hnsw.metric();
    let options = ScanOptions { iterative: Iterative::On, ..scan_options(10) };
    let mut scan = Scan::new(hnsw, Some(query.view()), options);
    let mut found = Vec::new();
    while let Some(hit) = scan.next(store).unwrap_or_else(|error| panic!("{what}: {error}")) {
        let distance = query.distance(metric, &all[row(hit.tid)]);
        let norm = |row: &Row| row.dense.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt();
        let (q, x) = (norm(query), norm(&all[row(hit.tid)]));
        let name =
            format!("{what}: norms {q:e} {x:e}: row {} at {distance}: {hit:?}", row(hit.tid));
        assert!(hit.distance <= distance, "{name}");
        assert!(!hit.exact || hit.distance == distance, "{name}");
        found.push(row(hit.tid));
    }
    found.sort_unstable();
    assert_eq!(found, rows, "{what}");
}

fn expect_sound(what: &str, store: &MemStore, all: &[Row], rows: &[usize]) {
    assert_eq!(problems(store), [], "{what}");
    for query in all.iter().step_by(7) {
        if graph::indexable(Hnsw::open(store).expect("opens").metric(), query.view()) {
            expect_rows(what, store, all, rows, query);
        }
    }
}

#[test]
fn any_finite_numbers_make_a_sound_index() {
    use Metric::{Cosine, Hamming, InnerProduct, Jaccard, L1, L2};
    let forms = [
        (Form::Floats, &[L2, InnerProduct, Cosine, L1][..]),
        (Form::Halves, &[L2, InnerProduct, Cosine, L1]),
        (Form::Sq8, &[L2, InnerProduct, Cosine]),
        (Form::Rabitq, &[L2, InnerProduct, Cosine]),
        (Form::Sparse, &[L2, InnerProduct, Cosine, L1]),
        (Form::Bytes, &[L2, InnerProduct, Cosine, L1]),
        (Form::Bits, &[Hamming, Jaccard]),
    ];
    for (form, metrics) in forms {
        for &metric in metrics {
            for (dims, seed) in [(1, 1), (2, 2), (3, 3), (70, 4), (300, 5)] {
                let what = format!("{form:?} {metric:?} {dims}");
                let rows = vectors(dims, form, seed).into_iter().map(|v| Row::new(v, form));
                expect_index(&what, IndexOptions { form, ..options(metric, dims) }, rows.collect());
            }
        }
    }
}

/// Builds one index and fills another, takes rows out of both and adds them again.
fn expect_index(what: &str, options: IndexOptions, all: Vec<Row>) {
    let placed = |&i: &usize| graph::indexable(options.metric, all[i].view());
    let rows: Vec<usize> = (0..all.len()).filter(placed).collect();
    let mut bulk = Bulk::new(options, space::Space::unlimited()).expect("fits");
    let inserted = empty(options);
    for &i in &rows {
        bulk.push(all[i].view(), tid(i)).expect("takes the row");
        graph::insert(&inserted, all[i].view(), tid(i)).expect(what);
    }
    let built = MemStore::new();
    let mut append = |body: &[u8]| {
        built.append(body);
        Ok(())
    };
    bulk.write(1, &mut |_, _, _| true, &mut append).expect("builds");
    let (dead, left): (Vec<usize>, Vec<usize>) = rows.iter().partition(|&&i| i % 3 == 0);
    for (store, how) in [(built, "built"), (inserted, "inserted")] {
        let what = format!("{what} {how}");
        expect_sound(&what, &store, &all, &rows);
        let (emptied, _) = vacuum::clear(&store, &mut |tid| dead.contains(&row(tid))).expect(&what);
        vacuum::unlink(&store, &emptied).expect(&what);
        vacuum::free(&store, emptied).expect(&what);
        expect_sound(&format!("{what}, vacuumed"), &store, &all, &left);
        for &i in &dead {
            graph::insert(&store, all[i].view(), tid(i)).expect(&what);
        }
        expect_sound(&format!("{what}, refilled"), &store, &all, &rows);
    }
}
