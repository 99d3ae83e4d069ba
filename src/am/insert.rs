//! `INSERT` and `UPDATE`: one new row.

#![allow(unsafe_code)] // called by PostgreSQL

use pages::{Error, HeapTid};
use pgrx::pg_guard;
use pgrx::pg_sys::{Datum, IndexInfo, IndexUniqueCheck, ItemPointer, Relation};

use super::counters;
use super::method::{AccessMethod, VectorMethod};
use super::opclass::OpClass;
use super::search::Searchable;
use crate::pg::error::Report;
use crate::pg::store::RelationStore;
use crate::pg::{relation, tid};

/// How an access method adds a row.
pub trait Insert: AccessMethod {
    /// Adds a row to an index, unless its value has no place there.
    ///
    /// # Safety
    /// `index` is open, and `value` of the type that its operator class is for.
    unsafe fn insert_row(index: Relation, value: Datum, tid: HeapTid) -> Result<(), Report>;
}

/// Adds a row to the index; NULL is left out.
#[pg_guard]
#[expect(clippy::too_many_arguments, reason = "PostgreSQL's signature")]
pub unsafe extern "C-unwind" fn aminsert<M: Insert>(
    index: Relation,
    values: *mut Datum,
    isnull: *mut bool,
    heap_tid: ItemPointer,
    _heap: Relation,
    _check_unique: IndexUniqueCheck::Type,
    _index_unchanged: bool,
    _info: *mut IndexInfo,
) -> bool {
    // SAFETY: PostgreSQL gives an open index, one value for its one column, and a valid tid.
    unsafe {
        if !*isnull {
            let tid = tid::from_item_pointer(&*heap_tid);
            M::insert_row(index, *values, tid).unwrap_or_else(|error| error.raise());
            if let Some(counters) = counters::of(index) {
                counters.add_insert();
            }
        }
    }
    false
}

/// Vectors that the metric has no place for are left out.
impl<M: VectorMethod> Insert for M {
    unsafe fn insert_row(index: Relation, value: Datum, tid: HeapTid) -> Result<(), Report> {
        // SAFETY: the index is open, and the value of the type that its class is for.
        unsafe {
            let OpClass { kind, metric } = OpClass::of(index)?;
            let inserted = kind.look(value, |dims, vector| {
                let store = RelationStore::new(index);
                expect_dims::<M>(index, &store, dims)?;
                if !M::indexable(metric, vector) {
                    return Ok(());
                }
                M::insert(index, &store, vector, tid)
            })?;
            inserted.map_err(|error| Report::of_index(&relation::qualified_name(index), error))
        }
    }
}

/// Refuses a vector of other dimensions than the index has, which only a column lets through whose type
/// has lost its dimensions since the index was made.
///
/// # Safety
/// `index` is open, and `store` holds its pages.
unsafe fn expect_dims<M: VectorMethod>(
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
