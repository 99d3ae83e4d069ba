//! Recall on data unlike embeddings after rows were deleted, vacuumed and replaced.

use std::collections::HashSet;

use crate::support::*;
use pages::mem::MemStore;
use quant::splitmix64;

/// Width of the searches: the default.
const EF: usize = 40;

/// Queries of each distribution.
const QUERIES: usize = 40;

/// The share of the ten nearest that searches must find.
const FLOOR: f64 = 0.95;

/// An index of the first `rows`, and what may replace them.
struct Churn<'a> {
    store: MemStore,
    vectors: &'a [Vec<f32>],
    rows: Vec<usize>,
    next: usize,
}

impl Churn<'_> {
    /// Deletes the first rows of the list, vacuums and adds as many others.
    fn replace(&mut self, count: usize) {
        let dead: HashSet<usize> = self.rows.drain(..count).collect();
        vacuum_rows(&self.store, &dead);
        for i in self.next..self.next + count {
            graph::insert(&self.store, &self.vectors[i], tid(i)).expect("inserts");
            self.rows.push(i);
        }
        self.next += count;
        vacuum_rows(&self.store, &HashSet::new());
    }

    fn shuffle(&mut self, seed: usize) {
        self.rows.sort_unstable_by_key(|&row| splitmix64((row * 100 + seed) as u64));
    }
}

/// How an index was made, and which of its rows are replaced.
const SCHEMES: [(&str, &str); 3] =
    [("built", "random half"), ("built", "ten rounds"), ("grown", "older half")];

/// With `ROWS` and `ONLY` (a part of a name) in the environment, other sizes and some of the data.
#[test]
fn churned_indexes_find_the_neighbors_in_any_data() {
    let count = rows_asked(1_000);
    let mut low = Vec::new();
    for data in distributions_asked() {
        let (name, metric) = (data.name, data.metric);
        // Of 200 queries .93 to .95 are found, but one that is far from all rows finds nearly all or
        // nearly none.
        let floor = if name == "queries unlike the rows" { 0.80 } else { FLOOR };
        let (mut vectors, queries) = (data.rows(count), data.queries(QUERIES));
        let options = options(metric, vectors[0].len());
        let (built, grown) = (bulk_built(options, &vectors), grown(options, &vectors));
        vectors.extend(data.later_rows(count));
        for (how, scheme) in SCHEMES {
            let store = if how == "built" { built.clone() } else { grown.clone() };
            let rows = (0..count).collect();
            let mut churn = Churn { store, vectors: &vectors, rows, next: count };
            match scheme {
                "random half" => {
                    churn.shuffle(0);
                    churn.replace(count / 2);
                }
                "older half" => churn.replace(count / 2),
                _ => (0..10).for_each(|round| {
                    churn.shuffle(round);
                    churn.replace(count / 10);
                }),
            }
            let Churn { store, rows, .. } = &churn;
            assert_eq!(problems(store), [], "{name} {how}, {scheme}");
            let recall = recall(store, metric, &vectors, rows, &queries, EF);
            println!("{name:35} {how}, {scheme}: {recall:.3}");
            if recall < floor {
                low.push((name, how, scheme, recall));
            }
        }
    }
    assert!(low.is_empty(), "{low:?}");
}
