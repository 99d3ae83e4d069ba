//! Sets of rows as results of functions (`RETURNS TABLE`).

#![allow(unsafe_code)] // calls into PostgreSQL

use pgrx::pg_sys::{self, Datum, SetFunctionReturnMode};

use super::error::Report;
use super::function::{Args, Return};
use super::memory::within;
use super::record::declared_columns;
use super::value::SqlValue;

/// A value of a row.
pub enum Cell {
    /// SQL's NULL.
    Null,
    /// A `bigint`.
    Int(i64),
    /// A `double precision`.
    Float(f64),
    /// An OID, or a type such as `regclass` that is one.
    Oid(pg_sys::Oid),
    /// A `text`.
    Text(String),
}

impl From<u64> for Cell {
    fn from(value: u64) -> Cell {
        Cell::Int(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

/// Rows, all at once, with as many columns as the function declares.
pub struct Rows<const N: usize>(pub Vec<[Cell; N]>);

impl<const N: usize> Return for Rows<N> {
    fn into_datum(self, args: &Args) -> Result<Datum, Report> {
        let set = ResultSet::begin::<N>(args)?;
        for row in self.0 {
            set.add_cells(row, args)?;
        }
        Ok(Datum::null())
    }
}

/// Where PostgreSQL wants the rows.
pub struct ResultSet {
    store: *mut pg_sys::Tuplestorestate,
    desc: pg_sys::TupleDesc,
}

impl ResultSet {
    /// Begins a result of rows of `N` columns.
    pub fn begin<const N: usize>(args: &Args) -> Result<ResultSet, Report> {
        // SAFETY: `fcinfo` is valid; `resultinfo` is null or a node that its tag names. What must
        // outlive the call is allocated in the context of the query.
        unsafe {
            let info = (*args.fcinfo()).resultinfo.cast::<pg_sys::ReturnSetInfo>();
            let materialize = SetFunctionReturnMode::SFRM_Materialize as i32;
            let info = match info.as_mut() {
                Some(info)
                    if info.type_ == pg_sys::NodeTag::T_ReturnSetInfo
                        && info.allowedModes & materialize != 0 =>
                {
                    info
                }
                Some(_) | None => {
                    return Err(Report::internal("set-valued function called where it cannot be"));
                }
            };
            let (desc, store) = within((*info.econtext).ecxt_per_query_memory, || {
                let store = pg_sys::tuplestore_begin_heap(true, false, pg_sys::work_mem);
                (declared_columns::<N>(args), store)
            });
            let desc = desc?;
            info.returnMode = SetFunctionReturnMode::SFRM_Materialize;
            info.setResult = store;
            info.setDesc = desc;
            Ok(ResultSet { store, desc })
        }
    }

    /// The type of a column, which counts from 1.
    pub fn of(&self, column: i32) -> pg_sys::Oid {
        // SAFETY: `begin` has made the descriptor; of no column the type is 0.
        unsafe { pg_sys::SPI_gettypeid(self.desc, column) }
    }

    /// Adds a row.
    ///
    /// # Safety
    /// `tuple` is a row of the columns that the function declares.
    pub unsafe fn put_tuple(&self, tuple: pg_sys::HeapTuple) {
        // SAFETY: `tuple` is of the columns of the store, and is copied.
        unsafe { pg_sys::tuplestore_puttuple(self.store, tuple) }
    }

    /// Adds a row; NULL is none.
    ///
    /// # Errors
    /// Where a value is not of its column's type.
    pub fn add<const N: usize>(&self, row: [Option<SqlValue>; N]) -> Result<(), Report> {
        let mut columns = (1..).zip(row);
        if columns.any(|(column, value)| value.is_some_and(|v| v.of() != self.of(column))) {
            return Err(Report::internal("query returns other types than the function"));
        }
        let values = row.map(|value| value.map_or(Datum::null(), SqlValue::datum));
        // SAFETY: the values are of the columns' types, as just checked.
        unsafe { self.put(values, row.map(|value| value.is_none())) };
        Ok(())
    }

    /// Adds a row of cells.
    ///
    /// # Errors
    /// Where a text cannot be converted.
    pub fn add_cells<const N: usize>(&self, row: [Cell; N], args: &Args) -> Result<(), Report> {
        let nulls = row.each_ref().map(|cell| matches!(cell, Cell::Null));
        let is_text = row.each_ref().map(|cell| matches!(cell, Cell::Text(_)));
        let mut values = [Datum::null(); N];
        for (value, cell) in values.iter_mut().zip(row) {
            *value = match cell {
                Cell::Null => Datum::null(),
                Cell::Int(value) => Datum::from(value),
                Cell::Float(value) => Datum::from(value.to_bits()),
                Cell::Oid(oid) => Datum::from(oid),
                Cell::Text(text) => text.into_datum(args)?,
            };
        }
        // SAFETY: each cell is of the type that SQL declares the column to be. The row is copied,
        // so that its texts can be freed.
        unsafe {
            self.put(values, nulls);
            for (value, _) in values.into_iter().zip(is_text).filter(|(_, is_text)| *is_text) {
                pg_sys::pfree(value.cast_mut_ptr());
            }
        }
        Ok(())
    }

    /// Adds a row of values, which are of the columns' types.
    ///
    /// # Safety
    /// They are, and those that are references live.
    unsafe fn put<const N: usize>(&self, mut values: [Datum; N], mut nulls: [bool; N]) {
        // SAFETY: `begin` has checked that rows have N columns.
        unsafe {
            let (values, nulls) = (values.as_mut_ptr(), nulls.as_mut_ptr());
            pg_sys::tuplestore_putvalues(self.store, self.desc, values, nulls);
        }
    }
}
