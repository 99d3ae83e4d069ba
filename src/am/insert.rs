//! `INSERT` and `UPDATE`: one new row.

#![allow(unsafe_code)] // called by PostgreSQL

use graph::Vector;
use pages::{Error, HeapTid};
use pgrx::pg_sys::{Datum, ItemPointer, Relation};

use super::counters;
use super::opclass::OpClass;
use super::search::Searchable;
use crate::pg::error::Report;
use crate::pg::store::RelationStore;
use crate::pg::{relation, tid};

/// Adds a row to an index of `I` by `insert`. What the metric has no place for is left out.
///
/// # Safety
/// `index` is open, `value` of the type that its operator class is for, `heap_tid` valid.
pub unsafe fn add_row<I: Searchable>(
    index: Relation,
    value: Datum,
    heap_tid: ItemPointer,
    insert: impl FnOnce(&RelationStore<'_>, Vector<'_>, HeapTid) -> pages::Result<()>,
) -> Result<(), Report> {
    // SAFETY: the caller's promise, for all calls.
    unsafe {
        let OpClass { kind, metric } = OpClass::of(index)?;
        let tid = tid::from_item_pointer(&*heap_tid);
        let inserted = kind.look(value, |dims, vector| {
            let store = RelationStore::new(index);
            expect_dims::<I>(index, &store, dims)?;
            if !graph::indexable(metric, vector) {
                return Ok(());
            }
            insert(&store, vector, tid)
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
unsafe fn expect_dims<I: Searchable>(
    index: Relation,
    store: &RelationStore<'_>,
    found: usize,
) -> pages::Result<()> {
    // SAFETY: the caller's promise; an index has a column.
    if unsafe { relation::type_and_modifier(index, 1) }.1 > 0 {
        return Ok(());
    }
    // SAFETY: the caller's promise.
    let expected = unsafe { I::open(index, store) }?.dims();
    if expected == found { Ok(()) } else { Err(Error::Dimensions { expected, found }) }
}
