//! The check finds free records that an insert would trip over, and takes none for broken that come
//! and go beside it.

use crate::support::*;
use graph::format::{Meta, NodeNo, RecordMut, State};
use graph::{Hnsw, Problem, check, insert, vacuum};
use pages::mem::{Eventful, MemStore, Step};
use quant::Metric;

const ROWS: usize = 200;
const DIMS: usize = 12;

fn delete(store: &MemStore, mut is_dead: impl FnMut(usize) -> bool) {
    let (emptied, _) = vacuum::clear(store, &mut |tid| is_dead(row(tid))).expect("clears");
    vacuum::unlink(store, &emptied).expect("unlinks");
    vacuum::free(store, emptied).expect("frees");
}

/// An index with some free records.
fn index() -> MemStore {
    let store = bulk_built(options(Metric::L2, DIMS), &clustered(ROWS, DIMS, 1));
    delete(&store, |row| row % 7 == 1);
    store
}

fn meta(store: &MemStore) -> Meta {
    Hnsw::open(store).expect("opens").meta().clone()
}

fn edit_meta(store: &MemStore, change: impl FnOnce(&mut Meta)) {
    let mut meta = meta(store);
    change(&mut meta);
    store.rewrite(0, |page| meta.encode(page));
}

fn edit<T>(store: &MemStore, node: NodeNo, change: impl FnOnce(&mut RecordMut<'_>) -> T) -> T {
    let (geometry, mut result) = (meta(store).geometry, None);
    let block = node.block(&geometry);
    store.rewrite(block, |page| {
        let place = node.place(&geometry);
        result = Some(change(&mut RecordMut::open(page, block, place, &geometry).expect("opens")));
    });
    result.expect("changed")
}

/// Some element of level 0.
fn element(store: &MemStore) -> NodeNo {
    let Meta { geometry, next, .. } = meta(store);
    let state = |node| edit(store, node, |record| record.as_ref().state());
    (NodeNo::first(&geometry).0..next.0)
        .map(NodeNo)
        .find(|&node| state(node) == State::Live)
        .expect("an element")
}

fn says(store: &MemStore) -> Vec<String> {
    problems(store).into_iter().map(|problem| problem.what).collect()
}

#[test]
fn the_list_must_lead_to_free_records() {
    let sound = index();
    assert_eq!(says(&sound), [""; 0]);
    let (element, Meta { next, free, .. }) = (element(&sound), meta(&sound));
    let free = free.expect("a free record");
    for (to, what) in [
        (element, "leads to a record in use"),
        (next, "leads to a record that was never used"),
        (NodeNo(1 << 20), "leads beyond the end of the index"),
    ] {
        let told = [format!("list of free records {what}: {}", to.0)];
        let store = sound.clone();
        edit_meta(&store, |meta| meta.free = Some(to));
        assert_eq!(says(&store), told);
        let store = sound.clone();
        edit(&store, free, |record| record.set_link(Some(to)));
        assert_eq!(says(&store), told);
    }
}

#[test]
fn the_list_must_end() {
    let store = index();
    let free = meta(&store).free.expect("a free record");
    edit(&store, free, |record| record.set_link(Some(free)));
    assert_eq!(says(&store), ["list of free records is endless"]);
}

#[test]
fn the_metapage_must_count_all_records_that_are_in_use() {
    let store = bulk_built(options(Metric::L2, DIMS), &clustered(ROWS, DIMS, 1));
    edit_meta(&store, |meta| meta.next.0 -= 1);
    assert_eq!(says(&store), ["metapage counts fewer records than are in use"]);
}

/// Checks an index while rows are inserted, faster than the check follows the list of free records,
/// and all of them deleted again at every so many pauses.
fn check_beside_inserts(pauses_between_deletes: usize) {
    let vectors = clustered(ROWS, DIMS, 2);
    let (store, mut rows, mut pauses) = (index(), ROWS, 0);
    let come_and_go = || {
        pauses += 1;
        if pauses % pauses_between_deletes == 0 {
            delete(&store, |row| row >= ROWS);
        }
        for _ in 0..4 {
            insert(&store, &vectors[rows % ROWS], tid(rows)).expect("inserts");
            rows += 1;
        }
    };
    let busy = Eventful::each(&store, &[Step::Pause], come_and_go);
    let mut problems: Vec<Problem> = Vec::new();
    check(&busy, &|| u32::MAX, &mut |problem| problems.push(problem)).expect("checks");
    assert_eq!(problems, []);
    assert!(pauses > pauses_between_deletes && meta(&store).next > meta(&index()).next);
}

#[test]
fn records_may_come_and_go_beside_the_check() {
    check_beside_inserts(24);
    check_beside_inserts(48);
}
