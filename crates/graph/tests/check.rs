//! The check finds what is wrong, and only that.

use crate::support::*;
use graph::Hnsw;
use graph::format::{Meta, NodeNo, RecordMut, Slot, State};
use pages::PageStore;
use pages::mem::MemStore;
use quant::Metric;

const ROWS: usize = 1200;

fn index() -> MemStore {
    bulk_built(options(Metric::L2, 20), &clustered(ROWS, 20, 1))
}

fn meta(store: &MemStore) -> Meta {
    Hnsw::open(store).expect("opens").meta().clone()
}

/// Changes a record.
fn edit(store: &MemStore, node: NodeNo, change: impl FnOnce(&mut RecordMut<'_>)) {
    let geometry = meta(store).geometry;
    let block = node.block(&geometry);
    store.rewrite(block, |page| {
        let place = node.place(&geometry);
        change(&mut RecordMut::open(page, block, place, &geometry).expect("opens"));
    });
}

fn all_records(store: &MemStore) -> Vec<NodeNo> {
    let geometry = meta(store).geometry;
    let end = store.blocks().expect("counts") * geometry.records_per_page as u32;
    (NodeNo::first(&geometry).0..end).map(NodeNo).collect()
}

fn says(store: &MemStore) -> Vec<String> {
    problems(store).into_iter().map(|problem| problem.what).collect()
}

/// Points the first edge of an element elsewhere.
fn lead(store: &MemStore, from: NodeNo, to: NodeNo) {
    let code = &vec![0; meta(store).geometry.code_bytes()];
    let (add, scale) = ([0; 2], [0; 2]);
    edit(store, from, |record| {
        record.set_slot(0, &Slot { neighbor: to, reachability: false, add, scale, code });
    });
}

#[test]
fn edges_must_lead_to_elements_of_their_level() {
    let sound = index();
    assert_eq!(says(&sound), [""; 0]);
    let entry = meta(&sound).entry.expect("an entry");
    assert!(meta(&sound).entry_level > 0);
    let first = NodeNo::first(&meta(&sound).geometry);
    let free = *all_records(&sound).last().expect("records");
    edit(&sound, free, |record| {
        if record.as_ref().state() != State::Free {
            record.write_free(None);
        }
    });
    for (to, what) in [
        (entry, "leads to another level"),
        (free, "leads to a record that is not an element"),
        (NodeNo(1 << 20), "leads beyond the end of the index"),
    ] {
        let store = sound.clone();
        lead(&store, first, to);
        let problem = format!("edge from {} to {} {what}", first.0, to.0);
        assert!(says(&store).contains(&problem), "{problem}: {:?}", says(&store));
    }
}

#[test]
fn an_element_without_a_path_to_it_is_named() {
    let store = index();
    let lost = NodeNo(NodeNo::first(&meta(&store).geometry).0 + 700);
    for node in all_records(&store) {
        edit(&store, node, |record| {
            if record.as_ref().is_element() {
                let slot = record.as_ref().neighbors().position(|to| to == lost);
                if let Some(slot) = slot {
                    record.remove_slot(slot);
                }
            }
        });
    }
    assert_eq!(says(&store), [format!("element {} cannot be reached", lost.0)]);
}

#[test]
fn the_entry_must_be_an_element_of_its_level() {
    let store = index();
    let mut meta = meta(&store);
    meta.entry = Some(NodeNo::first(&meta.geometry));
    store.rewrite(0, |page| meta.encode(page));
    assert!(says(&store).contains(&"entry point is not an element of its level".to_owned()));
}
