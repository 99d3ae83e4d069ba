//! What scans of all index access methods have in common: keys in, rows out in order of distance.

#![allow(unsafe_code)] // called by PostgreSQL

use std::ptr;

use pages::Hit;
use pgrx::PgMemoryContexts;
use pgrx::pg_sys::{
    self, Datum, IndexScanDesc, IndexScanDescData, Relation, ScanKey, ScanKeyData, SnapshotType,
};

use super::reorder::{Candidate, Row};
use super::row_distance::RowDistance;
use crate::pg::tid;

/// What the operator gives for every row.
#[derive(Clone, Copy, Debug)]
pub enum Distance {
    /// A number.
    Number,
    /// NULL: so is the query.
    Null,
    /// Not a number: the query is a zero vector under cosine.
    NotANumber,
}

/// Begins a scan with a new state. The state lives until the memory context of the scan goes, so
/// also an error frees it.
///
/// # Safety
/// `index` is open; called from `ambeginscan`, with its arguments.
pub unsafe fn begin<S: Default>(index: Relation, nkeys: i32, norderbys: i32) -> IndexScanDesc {
    // SAFETY: `ambeginscan` is called with an open index; all is allocated in the scan's memory
    // context.
    unsafe {
        let desc = pg_sys::RelationGetIndexScan(index, nkeys, norderbys);
        let n = usize::try_from(norderbys).unwrap_or(0);
        (*desc).xs_orderbyvals = pg_sys::palloc0(n * size_of::<Datum>()).cast();
        (*desc).xs_orderbynulls = pg_sys::palloc0(n * size_of::<bool>()).cast();
        let state = S::default();
        (*desc).opaque =
            PgMemoryContexts::CurrentMemoryContext.leak_and_drop_on_delete(state).cast();
        desc
    }
}

/// Takes the keys of a scan that begins anew.
///
/// # Safety
/// Called from `amrescan`, with its arguments.
pub unsafe fn take_keys(desc: IndexScanDesc, keys: ScanKey, orderbys: ScanKey) {
    // SAFETY: PostgreSQL gives as many keys as the scan was begun with, or null.
    unsafe {
        copy_keys(keys, (*desc).keyData, (*desc).numberOfKeys);
        copy_keys(orderbys, (*desc).orderByData, (*desc).numberOfOrderBys);
    }
}

/// # Safety
/// `from` is null or holds `n` keys, and `to` has room for them.
unsafe fn copy_keys(from: ScanKey, to: *mut ScanKeyData, n: i32) {
    if !from.is_null() && n > 0 {
        // SAFETY: `from` holds `n` keys, and `to` has room for them; both may be the same.
        unsafe { ptr::copy(from, to, n as usize) };
    }
}

/// Looks at the table where the index knows only a bound.
///
/// # Safety
/// `desc` is a scan of ours that looks for `order`, `row_distance` was made for it or is none.
pub unsafe fn look(
    desc: &mut IndexScanDescData,
    order: &mut ScanKeyData,
    row_distance: &mut Option<RowDistance>,
    hit: &Hit,
) -> Candidate<()> {
    let distance = if hit.exact {
        Some(hit.distance)
    } else {
        // SAFETY: `row_distance` is made for `desc`, which looks for `order`; distances are exact
        // where the query is NULL.
        unsafe {
            row_distance.get_or_insert_with(|| RowDistance::new(desc)).of(desc, order, hit.tid)
        }
    };
    let row = distance.map(|distance| Row { tid: hit.tid, distance, payload: () });
    Candidate { bound: hit.distance, row }
}

/// # Safety
/// `snapshot` is null or valid.
pub unsafe fn is_mvcc(snapshot: *const pg_sys::SnapshotData) -> bool {
    // SAFETY: a snapshot is valid if it is not null.
    unsafe { snapshot.as_ref() }.is_some_and(|snapshot| {
        snapshot.snapshot_type == SnapshotType::SNAPSHOT_MVCC
            || snapshot.snapshot_type == SnapshotType::SNAPSHOT_HISTORIC_MVCC
    })
}

/// Hands a row to the executor.
///
/// A query may order by a second distance, which the scan knows nothing of: it counts as smaller
/// than any, so that the executor sorts rows that tie in the first.
///
/// # Safety
/// `desc` is a scan of ours.
pub unsafe fn give(desc: &mut IndexScanDescData, row: Row<()>, distance: Distance, recheck: bool) {
    let first = match distance {
        Distance::Number => Some(row.distance),
        Distance::NotANumber => Some(f64::NAN),
        Distance::Null => None,
    };
    desc.xs_heaptid = tid::to_item_pointer(row.tid);
    desc.xs_recheck = recheck;
    desc.xs_recheckorderby = desc.numberOfOrderBys > 1;
    if desc.numberOfOrderBys < 1 {
        return;
    }
    // SAFETY: there is room for as many values as order-bys.
    unsafe {
        for i in 1..usize::try_from(desc.numberOfOrderBys).unwrap_or(1) {
            *desc.xs_orderbyvals.add(i) = Datum::from(f64::NEG_INFINITY.to_bits());
            *desc.xs_orderbynulls.add(i) = false;
        }
        *desc.xs_orderbyvals = Datum::from(first.unwrap_or(0.0).to_bits());
        *desc.xs_orderbynulls = first.is_none();
    }
}
