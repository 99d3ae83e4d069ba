//! Vectors that no page holds whole: their tails are written before the element and freed after it.
//!
//! The first tail belongs to nobody until the batch that makes the element claims it. So a crash
//! in between leaves a chain that vacuum can tell from all others.

use pages::{Batch, PageStore, Result};

use crate::Hnsw;
use crate::format::{NodeNo, State, Tail};
use crate::records::{Allocation, lock_in_order, open};

/// Writes the tails of a vector, one batch each, the first one first; none where it needs none.
pub(crate) fn write_tails<S: PageStore>(
    store: &S,
    hnsw: &Hnsw,
    vector: &[u8],
) -> Result<Option<Tail>> {
    let geometry = hnsw.geometry();
    let (mut first, mut before) = (None, None);
    for part in 1..=geometry.tails_of(vector.len()) {
        store.pause()?;
        let mut batch = store.batch();
        let allocation = Allocation::begin(&mut batch)?;
        let node = allocation.node;
        allocation.lock(&mut batch, before.as_slice())?;
        allocation.take(&mut batch)?;
        let mut record = open(&mut batch, node, geometry)?;
        record.write_tail(before, &vector[geometry.part(part, vector.len())]);
        let tail = Some(Tail { node, version: record.as_ref().version() });
        if let Some(before) = before {
            open(&mut batch, before, geometry)?.set_tail(tail);
        }
        batch.commit()?;
        first = first.or(tail);
        before = Some(node);
    }
    Ok(first)
}

/// Frees the tails of a dying element, one batch each.
pub(crate) fn free_tails<S: PageStore>(store: &S, hnsw: &Hnsw, element: NodeNo) -> Result<()> {
    loop {
        let tail = hnsw.record(store, element, |record| {
            let owns = record.state() == State::Dying && record.element().level == 0;
            record.tail().filter(|_| owns)
        })?;
        let Some(tail) = tail else { return Ok(()) };
        store.pause()?;
        let mut batch = store.batch();
        let mut allocation = Allocation::begin(&mut batch)?;
        lock_in_order(&mut batch, hnsw.geometry(), &[element, tail.node])?;
        let record = open(&mut batch, tail.node, hnsw.geometry())?;
        let current = record.as_ref();
        // A damaged chain leads elsewhere: what is there is not ours to free.
        let ours = current.state() == State::Tail && current.version() == tail.version;
        let next = current.tail().filter(|_| ours);
        open(&mut batch, element, hnsw.geometry())?.set_tail(next);
        if ours {
            allocation.give_back(&mut batch, tail.node)?;
        }
        batch.commit()?;
    }
}

/// Frees a chain of tails whose first is still the one that belonged to nobody when it was seen.
pub(crate) fn free_unclaimed<S: PageStore>(store: &S, hnsw: &Hnsw, first: Tail) -> Result<()> {
    let mut at = Some(first);
    while let Some(tail) = at {
        let next = hnsw.record(store, tail.node, |record| record.tail())?;
        store.pause()?;
        let mut batch = store.batch();
        let mut allocation = Allocation::begin(&mut batch)?;
        let mut nodes = vec![tail.node];
        nodes.extend(next.map(|next| next.node));
        lock_in_order(&mut batch, hnsw.geometry(), &nodes)?;
        let record = open(&mut batch, tail.node, hnsw.geometry())?;
        let current = record.as_ref();
        let unclaimed = current.state() == State::Tail
            && current.version() == tail.version
            && current.owner().is_none()
            && current.tail() == next;
        if !unclaimed {
            return Ok(());
        }
        if let Some(next) = next {
            let mut record = open(&mut batch, next.node, hnsw.geometry())?;
            if record.as_ref().version() == next.version {
                record.set_owner(None);
            }
        }
        allocation.give_back(&mut batch, tail.node)?;
        batch.commit()?;
        at = next;
    }
    Ok(())
}
