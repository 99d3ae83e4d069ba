//! The rows of a table, for a build.

#![allow(unsafe_code)] // called by PostgreSQL

use std::ffi::c_void;
use std::ptr;

use pages::HeapTid;
use pgrx::pg_guard;
use pgrx::pg_sys::{self, Datum, IndexInfo, ItemPointer, Relation};
use quant::Metric;

use super::element_kind::ElementKind;
use super::method::VectorMethod;
use super::vector::Vector;
use crate::pg::error::Report;
use crate::pg::{progress, relation, reserve, tid};
use crate::types::error::unexpected_dims;

/// An index that is being built.
pub trait Sink {
    /// Takes a row.
    fn push(&mut self, vector: Vector<'_>, tid: HeapTid) -> pages::Result<()>;
    /// Rows taken.
    fn rows(&self) -> usize;
}

/// What an index is on.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Elements of the vectors.
    pub kind: ElementKind,
    /// Dimensions of each.
    pub dims: usize,
    /// How vectors are compared.
    pub metric: Metric,
}

/// The table, the index, and what PostgreSQL says of it: the arguments of `ambuild`.
pub type Relations = (Relation, Relation, *mut IndexInfo);

/// What takes a value and its row.
type Add<'a> = dyn FnMut(Datum, HeapTid) -> Result<(), Report> + 'a;

/// Gives `add` each value of the column that is not NULL, with its row. Returns how many rows the table has.
///
/// # Safety
/// Called from `ambuild`, with its arguments.
pub unsafe fn scan_table(
    (heap, index, info): Relations,
    mut add: impl FnMut(Datum, HeapTid) -> Result<(), Report>,
) -> f64 {
    let mut add: &mut Add<'_> = &mut add;
    let state = (&raw mut add).cast();
    // SAFETY: PostgreSQL passed the relations and `info` to `ambuild`; the state outlives the call.
    unsafe {
        pg_sys::table_index_build_scan(
            heap,
            index,
            info,
            true,
            true,
            Some(add_row),
            state,
            ptr::null_mut(),
        )
    }
}

/// Called by PostgreSQL for each row of the table.
#[pg_guard]
unsafe extern "C-unwind" fn add_row(
    _index: Relation,
    heap_tid: ItemPointer,
    values: *mut Datum,
    isnull: *mut bool,
    _alive: bool,
    state: *mut c_void,
) {
    // SAFETY: PostgreSQL gives one value for the one column of the index, and our state.
    unsafe {
        if !*isnull {
            let add = &mut *state.cast::<&mut Add<'_>>();
            add(*values, tid::from_item_pointer(&*heap_tid)).unwrap_or_else(|error| error.raise());
        }
    }
}

/// Gives `sink` all rows that belong into an index of vectors, and tells how many rows the table has.
///
/// # Safety
/// As [`scan_table`]; `column` is what the index is on.
pub unsafe fn all_rows<M: VectorMethod>(
    relations: Relations,
    column: Column,
    sink: &mut dyn Sink,
) -> f64 {
    let index = relations.1;
    let mut load = Load { sink, column, indexable: M::indexable };
    // SAFETY: the arguments are those of `ambuild`, and values are of the column's type.
    unsafe { scan_table(relations, |value, tid| load.add(index, value, tid)) }
}

/// What vectors are added to.
struct Load<'a> {
    sink: &'a mut dyn Sink,
    column: Column,
    indexable: fn(Metric, Vector<'_>) -> bool,
}

impl Load<'_> {
    /// # Safety
    /// `index` is open, and `value` of the type that it is on.
    unsafe fn add(&mut self, index: Relation, value: Datum, tid: HeapTid) -> Result<(), Report> {
        let Column { kind, dims, metric } = self.column;
        // SAFETY: `value` is of the type of the indexed column, which `kind` names.
        let added = unsafe {
            kind.look(value, |found, vector| {
                if found != dims {
                    return Err(unexpected_dims(dims as i64, found));
                }
                if !(self.indexable)(metric, vector) {
                    return Ok(false);
                }
                let pushed = self.sink.push(vector, tid);
                let pushed = pushed.and_then(|()| Ok(reserve::check()?)).map(|()| true);
                pushed.map_err(|error| Report::of_index(&relation::qualified_name(index), error))
            })
        };
        if added?? && self.sink.rows().is_multiple_of(1_000) {
            progress::tuples_done(self.sink.rows());
        }
        Ok(())
    }
}
