//! `INSERT` and `UPDATE`: one new row.

#![allow(unsafe_code)] // called by PostgreSQL

use graph::Vector;
use pages::HeapTid;
use pgrx::pg_sys::{Datum, ItemPointer, Relation};

use super::counters;
use super::opclass::OpClass;
use crate::pg::error::Report;
use crate::pg::store::RelationStore;
use crate::pg::{relation, tid};

/// Adds a row to an index by `insert`. What the metric has no place for is left out.
///
/// # Safety
/// `index` is open, `value` of the type that its operator class is for, `heap_tid` valid.
pub unsafe fn add_row(
    index: Relation,
    value: Datum,
    heap_tid: ItemPointer,
    insert: impl FnOnce(&RelationStore<'_>, Vector<'_>, HeapTid) -> pages::Result<()>,
) -> Result<(), Report> {
    // SAFETY: the caller's promise, for all calls.
    unsafe {
        let OpClass { kind, metric } = OpClass::of(index)?;
        let tid = tid::from_item_pointer(&*heap_tid);
        let inserted = kind.look(value, |_, vector| {
            if !graph::indexable(metric, vector) {
                return Ok(());
            }
            insert(&RelationStore::new(index), vector, tid)
        })?;
        inserted.map_err(|error| Report::of_index(&relation::qualified_name(index), error))?;
        if let Some(counters) = counters::of(index) {
            counters.add_insert();
        }
    }
    Ok(())
}
