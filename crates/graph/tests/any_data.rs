//! Recall on data unlike embeddings, built at once and grown row by row.

use crate::support::*;

/// Width of the searches: the default.
const EF: usize = 40;

/// Queries of each distribution.
const QUERIES: usize = 60;

/// The share of the ten nearest that searches must find.
const FLOOR: f64 = 0.95;

/// With `ROWS` and `ONLY` (a part of a name) in the environment, other sizes and some of the data.
#[test]
fn built_and_grown_indexes_find_the_neighbors_in_any_data() {
    let count = rows_asked(1_000);
    let mut low = Vec::new();
    for data in distributions_asked() {
        let (name, metric) = (data.name, data.metric);
        let floor = if name == "queries unlike the rows" { 0.80 } else { FLOOR };
        let (rows, queries) = (data.rows(count), data.queries(QUERIES));
        let options = default_options(metric, rows[0].len());
        let all: Vec<usize> = (0..rows.len()).collect();
        let stores = [("built", default_built(metric, &rows)), ("grown", grown(options, &rows))];
        for (how, store) in stores {
            let recall = recall(&store, metric, &rows, &all, &queries, EF);
            println!("{name:28} {how}: {recall:.3}");
            if recall < floor {
                low.push((name, how, recall));
            }
        }
    }
    assert!(low.is_empty(), "{low:?}");
}
