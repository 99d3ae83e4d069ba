//! `INSERT` and `UPDATE`: one new row.

#![allow(unsafe_code)] // called by PostgreSQL

use graph::Hnsw;
use pgrx::pg_guard;
use pgrx::pg_sys::{Datum, IndexInfo, IndexUniqueCheck, ItemPointer, Relation};

use crate::am::insert::add_row;
use crate::pg::lock::InsertLock;

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
            add_row::<Hnsw>(index, *values, heap_tid, |store, vector, tid| {
                let _lock = InsertLock::take(index);
                graph::insert(store, vector, tid)
            })
            .unwrap_or_else(|error| error.raise());
        }
    }
    false
}
