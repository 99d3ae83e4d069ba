//! The element of level 0 where searches begin. It is the root of the tree of reachability edges.

use pages::{Batch, PageStore, Result};

use crate::Hnsw;
use crate::format::{NodeNo, Record};
use crate::link::{BackLink, Owner, put_edge, uncoded_victim};
use crate::records::open;
use crate::stored::vector_of;

/// The element of level 0 that `entry` stands for.
pub(crate) fn root_of<S: PageStore>(
    store: &S,
    hnsw: &Hnsw,
    entry: NodeNo,
) -> Result<Option<NodeNo>> {
    hnsw.record(store, entry, |record| root_in(entry, record))
}

/// The same, where the record of `entry` is at hand.
pub(crate) fn root_in(entry: NodeNo, record: &Record<'_>) -> Option<NodeNo> {
    let element = record.element();
    if element.level == 0 { Some(entry) } else { element.base }
}

/// Adds a reachability edge from `new_root` to the present root, before searches begin at `new_root`:
/// all that is reached from the one is then reached from the other.
pub(crate) fn link_root<S: PageStore>(store: &S, new_root: NodeNo) -> Result<()> {
    let hnsw = Hnsw::open(store)?;
    let Some(entry) = hnsw.meta().entry else { return Ok(()) };
    let Some(root) = root_of(store, &hnsw, entry)?.filter(|&root| root != new_root) else {
        return Ok(());
    };
    let read =
        |node| hnsw.element(store, node, |record| (record.version(), vector_of(&hnsw, record)));
    let (Some((_, vector)), Some((version, own))) = (read(root)?, read(new_root)?) else {
        return Ok(());
    };
    let mut edge = Owner::new(&hnsw, &own).edge(root, &vector);
    edge.reachability = true;
    let link = BackLink { owner: new_root, version, edge, vector: vector.view() };
    let displaced = uncoded_victim(store, &hnsw, &link)?;
    let mut batch = store.batch();
    let mut record = open(&mut batch, new_root, hnsw.geometry())?;
    if put_edge(&hnsw, &mut record, &link, displaced) { batch.commit() } else { Ok(()) }
}
