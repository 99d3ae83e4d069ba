//! `INSERT` and `UPDATE`: one new row.

#![allow(unsafe_code)] // called by PostgreSQL

use pgrx::pg_guard;
use pgrx::pg_sys::{Datum, IndexInfo, IndexUniqueCheck, ItemPointer, Relation};

use crate::am::counters;
use crate::am::load::dense;
use crate::am::opclass::OpClass;
use crate::pg::error::Report;
use crate::pg::store::RelationStore;
use crate::pg::{relation, tid};

/// Adds a row to the index; NULL and what the metric has no place for are left out.
#[pg_guard]
#[expect(clippy::too_many_arguments, reason = "PostgreSQL's signature")]
pub unsafe extern "C-unwind" fn aminsert(
    index: Relation,
    values: *mut Datum,
    isnull: *mut bool,
    heap_tid: ItemPointer,
    _heap: Relation,
    _check_unique: IndexUniqueCheck::Type,
    _index_unchanged: bool,
    _info: *mut IndexInfo,
) -> bool {
    // SAFETY: PostgreSQL gives an open index, and one value for its one column.
    unsafe {
        if !*isnull {
            insert(index, *values, heap_tid).unwrap_or_else(|error| error.raise());
            if let Some(counters) = counters::of(index) {
                counters.add_insert();
            }
        }
    }
    false
}

/// # Safety
/// `index` is open, `value` of the type that its operator class is for.
unsafe fn insert(index: Relation, value: Datum, heap_tid: ItemPointer) -> Result<(), Report> {
    // SAFETY: the caller's promise, for all calls.
    unsafe {
        let OpClass { kind, metric } = OpClass::of(index)?;
        let tid = tid::from_item_pointer(&*heap_tid);
        let inserted = kind.look(value, |_, vector| {
            let vector = dense(vector);
            if !ivf::indexable(metric, vector) {
                return Ok(());
            }
            ivf::insert(&RelationStore::new(index), vector, tid)
        })?;
        inserted.map_err(|error| Report::of_index(&relation::qualified_name(index), error))
    }
}
