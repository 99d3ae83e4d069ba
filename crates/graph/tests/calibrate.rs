//! Calibration says what searches find.

use crate::support::*;
use graph::format::{Calibration, RecordMut, State};
use graph::{calibrate, expected_recall, insert, outgrown, vacuum};
use pages::PageStore;
use pages::mem::MemStore;
use quant::Metric;

const DIMS: usize = 24;
const ROWS: usize = 3000;

fn measured(store: &MemStore) -> Calibration {
    let calibration = calibrate(store).expect("measures").expect("enough rows");
    let stored = graph::Hnsw::open(store).expect("opens").meta().calibration;
    assert_eq!(stored, Some(calibration));
    calibration
}

/// Removes all edges to elements whose record number is odd.
fn cut(store: &MemStore) {
    let geometry = graph::Hnsw::open(store).expect("opens").meta().geometry;
    for block in 1..store.blocks().expect("counts") {
        store.rewrite(block, |page| {
            for place in 0..geometry.records_per_page {
                let mut record = RecordMut::open(page, block, place, &geometry).expect("opens");
                if record.as_ref().state() != State::Live {
                    continue;
                }
                let odd = |record: &RecordMut<'_>| {
                    record.as_ref().neighbors().position(|node| node.0 % 2 == 1)
                };
                while let Some(slot) = odd(&record) {
                    record.remove_slot(slot);
                }
            }
        });
    }
}

#[test]
fn recall_is_that_of_searches() {
    let rows = clustered(ROWS, DIMS, 1);
    let queries = clustered(200, DIMS, 2);
    let all: Vec<usize> = (0..ROWS).collect();
    // A sparse graph, so that something is missed.
    let options = graph::IndexOptions { m: 5, ef_construction: 10, ..options(Metric::L2, DIMS) };
    let store = bulk_built(options, &rows);
    let calibration = measured(&store);
    for ef in [20, 40, 160] {
        let expected = expected_recall(&calibration, ef);
        let found = recall(&store, Metric::L2, &rows, &all, &queries, ef);
        println!("ef {ef}: expected {expected:.3}, found {found:.3}");
        assert!((expected - found).abs() < 0.05, "ef {ef}: expected {expected}, found {found}");
    }
}

#[test]
fn an_index_is_measured_anew_when_half_of_it_has_changed() {
    let rows = clustered(ROWS, DIMS, 1);
    let store = bulk_built(options(Metric::L2, DIMS), &rows);
    let delete = |is_dead: &dyn Fn(usize) -> bool| {
        let (emptied, _) = vacuum::clear(&store, &mut |tid| is_dead(row(tid))).expect("clears");
        vacuum::unlink(&store, &emptied).expect("unlinks");
        vacuum::free(&store, emptied).expect("frees");
        outgrown(&store).expect("reads")
    };
    assert!(outgrown(&store).expect("reads"), "it was never measured");
    measured(&store);
    assert!(!delete(&|i| i % 3 == 0));
    // They take the free places.
    for (i, row) in rows.iter().enumerate().filter(|(i, _)| i % 3 == 0) {
        insert(&store, row, tid(i)).expect("inserts");
    }
    assert!(!delete(&|_| false));
    assert!(delete(&|i| i % 3 == 1), "two thirds have gone");
    measured(&store);
    assert!(!delete(&|_| false));
}

#[test]
fn elements_that_no_edge_leads_to_are_missed() {
    let rows = clustered(ROWS, DIMS, 1);
    let store = bulk_built(options(Metric::L2, DIMS), &rows);
    assert!(expected_recall(&measured(&store), 320) > 0.99);
    cut(&store);
    let expected = expected_recall(&measured(&store), 320);
    let all: Vec<usize> = (0..ROWS).collect();
    let found = recall(&store, Metric::L2, &rows, &all, &clustered(200, DIMS, 2), 320);
    println!("expected {expected:.3}, found {found:.3}");
    assert!(found < 0.8 && (expected - found).abs() < 0.15, "expected {expected}, found {found}");
}

/// A row's nearest by inner product may be far from it, and what is as far from the row unlike all queries.
/// Prints what is expected beside what is found. With `ROWS` and `ONLY` in the environment, other
/// sizes and some of the data.
#[test]
fn about_as_much_is_expected_of_inner_products_as_searches_find() {
    const EF: usize = 40;
    for data in distributions_asked().filter(|data| data.metric == Metric::InnerProduct) {
        let (name, metric) = (data.name, data.metric);
        let (rows, queries) = (data.rows(rows_asked(2_000)), data.queries(100));
        let all: Vec<usize> = (0..rows.len()).collect();
        let options = default_options(metric, rows[0].len());
        let stores = [("built", default_built(metric, &rows)), ("grown", grown(options, &rows))];
        for (how, store) in stores {
            let expected = expected_recall(&measured(&store), EF);
            let found = recall(&store, metric, &rows, &all, &queries, EF);
            println!("{name:36} {how}: expected {expected:.3}, found {found:.3}");
            let near = found - 0.05..found + 0.02;
            assert!(near.contains(&expected), "{name}, {how}: expected {expected}, found {found}");
        }
    }
}
