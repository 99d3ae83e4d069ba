//! `INSERT` and `UPDATE`: one new row.

#![allow(unsafe_code)] // called by PostgreSQL

use pages::Error;
use pgrx::pg_guard;
use pgrx::pg_sys::{Datum, IndexInfo, IndexUniqueCheck, ItemPointer, Relation};

use super::counters;
use super::method::AccessMethod;
use super::opclass::OpClass;
use super::search::Searchable;
use crate::pg::error::Report;
use crate::pg::store::RelationStore;
use crate::pg::{relation, tid};

/// Adds a row to the index; NULL and what the metric has no place for are left out.
#[pg_guard]
#[expect(clippy::too_many_arguments, reason = "PostgreSQL's signature")]
pub unsafe extern "C-unwind" fn aminsert<M: AccessMethod>(
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
            add_row::<M>(index, *values, heap_tid).unwrap_or_else(|error| error.raise());
        }
    }
    false
}

/// # Safety
/// `index` is open, `value` of the type that its operator class is for, `heap_tid` valid.
unsafe fn add_row<M: AccessMethod>(
    index: Relation,
    value: Datum,
    heap_tid: ItemPointer,
) -> Result<(), Report> {
    // SAFETY: during `aminsert` the index is open and the tid valid; the value is of the column's
    // type.
    unsafe {
        let OpClass { kind, metric } = OpClass::of(index)?;
        let tid = tid::from_item_pointer(&*heap_tid);
        let inserted = kind.look(value, |dims, vector| {
            let store = RelationStore::new(index);
            expect_dims::<M>(index, &store, dims)?;
            if !M::indexable(metric, vector) {
                return Ok(());
            }
            M::insert(index, &store, vector, tid)
        })?;
        inserted.map_err(|error| Report::of_index(&relation::qualified_name(index), error))?;
        if let Some(counters) = counters::of(index) {
            counters.add_insert();
        }
    }
    Ok(())
}

/// Refuses a vector of other dimensions than the index has, which only a column lets through whose type
/// has lost its dimensions since the index was made.
///
/// # Safety
/// `index` is open, and `store` holds its pages.
unsafe fn expect_dims<M: AccessMethod>(
    index: Relation,
    store: &RelationStore<'_>,
    found: usize,
) -> pages::Result<()> {
    // SAFETY: `index` is open, and an index has a column.
    if unsafe { relation::type_and_modifier(index, 1) }.1 > 0 {
        return Ok(());
    }
    let expected = M::open(store)?.dims();
    if expected == found { Ok(()) } else { Err(Error::Dimensions { expected, found }) }
}
