//! The element of level 0 where searches begin. All tethers start from it, directly or not.

use pages::{Batch, NodeNo, PageStore, Record, Result};

use crate::Hnsw;
use crate::link::{BackLink, Owner, put_edge, uncoded_victim, vector_of};
use crate::records::open;

/// The element of level 0 that `entry` stands for.
pub(crate) fn root_of<S: PageStore>(
    store: &S,
    hnsw: &Hnsw,
    entry: NodeNo,
) -> Result<Option<NodeNo>> {
    let (block, place) = hnsw.locate(entry);
    let page = store.read(block)?;
    let element = Record::read(&page, block, place, hnsw.geometry())?.element();
    Ok(if element.level == 0 { Some(entry) } else { element.base })
}

/// Tethers the present root to `heir`, before searches begin there: what is reached from the one is
/// then reached from the other.
pub(crate) fn hold_root<S: PageStore>(store: &S, heir: NodeNo) -> Result<()> {
    let hnsw = Hnsw::open(store)?;
    let Some(entry) = hnsw.meta().entry else { return Ok(()) };
    let Some(root) = root_of(store, &hnsw, entry)?.filter(|&root| root != heir) else {
        return Ok(());
    };
    let (_, vector) = read(store, &hnsw, root)?;
    let (version, own) = read(store, &hnsw, heir)?;
    let mut edge = Owner::new(&hnsw, &own).edge(root, &vector);
    edge.tether = true;
    let link = BackLink { owner: heir, version, edge, vector: &vector };
    let displaced = uncoded_victim(store, &hnsw, &link)?;
    let mut batch = store.batch();
    let mut record = open(&mut batch, heir, hnsw.geometry())?;
    if put_edge(&hnsw, &mut record, &link, displaced) { batch.commit() } else { Ok(()) }
}

fn read<S: PageStore>(store: &S, hnsw: &Hnsw, node: NodeNo) -> Result<(u32, Vec<f32>)> {
    let (block, place) = hnsw.locate(node);
    let page = store.read(block)?;
    let record = Record::read(&page, block, place, hnsw.geometry())?;
    Ok((record.version(), vector_of(hnsw, &record)))
}
