//! Statements that functions run inside of the statement that calls them: with its snapshot, as its
//! user, planned once.

#![allow(unsafe_code)] // calls into PostgreSQL

use std::marker::PhantomData;
use std::{ptr, slice, thread};

use pgrx::pg_sys::{self, Datum, Oid};

use super::encoding::{decode_c, encode};
use super::error::Report;
use super::node::{oids, pointers};
use super::parameter::Parameter;
use super::plan::Running;
use super::rows::ResultSet;
use super::value::{OwnedValue, SqlValue};

/// A connection to the server that the function runs in; at its end, what was found through it is
/// freed.
pub struct Connection(());

impl Connection {
    /// Begins one. It must end before one that was begun earlier.
    pub fn begin() -> Result<Connection, Report> {
        // SAFETY: inside of a statement.
        expect(unsafe { pg_sys::SPI_connect() }, pg_sys::SPI_OK_CONNECT, "connect")?;
        Ok(Connection(()))
    }

    /// Runs a query and puts its rows, of the `N` columns of `rows`, there. Nothing can be changed by it.
    pub fn fill<const N: usize>(
        &self,
        rows: &ResultSet,
        text: &str,
        parameters: &[Parameter],
    ) -> Result<(), Report> {
        let found = self.select(text, parameters)?;
        found.expect_columns(N)?;
        if (1..).take(N).any(|column| found.of(column) != rows.of(column)) {
            return Err(Report::internal("query returns other types than the function"));
        }
        // SAFETY: they are rows of the columns that the function declares.
        found.tuples().iter().for_each(|&row| unsafe { rows.put_tuple(row) });
        Ok(())
    }

    /// Runs a query, and returns all of its rows.
    pub fn select(&self, text: &str, parameters: &[Parameter]) -> Result<ResultRows<'_>, Report> {
        let mut values = datums(parameters)?;
        // SAFETY: SPI is connected; there are as many values as the plan has parameters.
        unsafe {
            let running = Running::begin(text, parameters)?;
            let values = values.as_mut_ptr();
            let result = pg_sys::SPI_execute_plan(running.plan(), values, ptr::null(), true, 0);
            expect(result, pg_sys::SPI_OK_SELECT, "select")?;
        }
        Ok(ResultRows::last())
    }

    /// As [`select`](Self::select), but plans anew at each call and keeps no plan.
    pub fn select_once(
        &self,
        text: &str,
        parameters: &[SqlValue],
    ) -> Result<ResultRows<'_>, Report> {
        let values = parameters.iter().map(|parameter| (parameter.of(), parameter.datum()));
        expect(run_once(text, values, true)?, pg_sys::SPI_OK_SELECT, "select")?;
        Ok(ResultRows::last())
    }

    /// The tables that a query without parameters may read, as it is planned: of partitioned ones, the
    /// partitions that its conditions leave.
    ///
    /// # Errors
    /// Where the query cannot be planned.
    pub fn planned_tables(&self, text: &str) -> Result<Vec<Oid>, Report> {
        let query = encode(text)?;
        // SAFETY: SPI is connected, and frees the plan at its end if an error is raised. A plan lists
        // its statements, and each the relations that it depends on.
        unsafe {
            let plan = pg_sys::SPI_prepare(query.as_ptr(), 0, ptr::null_mut());
            if plan.is_null() {
                return Err(failed("prepare", pg_sys::SPI_result));
            }
            let cached = pg_sys::SPI_plan_get_cached_plan(plan);
            if cached.is_null() {
                return Err(failed("plan", pg_sys::SPI_result));
            }
            let statements = pointers::<pg_sys::PlannedStmt>((*cached).stmt_list);
            let tables = statements.flat_map(|statement| oids((*statement).relationOids)).collect();
            // The plan is not saved, so that no owner keeps count of it.
            pg_sys::ReleaseCachedPlan(cached, ptr::null_mut());
            pg_sys::SPI_freeplan(plan);
            Ok(tables)
        }
    }

    /// Begins a query whose rows are fetched as they are wanted.
    pub fn open(&self, text: &str, parameters: &[Parameter]) -> Result<Cursor<'_>, Report> {
        let mut values = datums(parameters)?;
        // SAFETY: as above.
        unsafe {
            let running = Running::begin(text, parameters)?;
            let values = values.as_mut_ptr();
            let portal =
                pg_sys::SPI_cursor_open(ptr::null(), running.plan(), values, ptr::null(), true);
            Ok(Cursor { portal, _running: running, connection: PhantomData })
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // The end of a failed transaction ends it.
        if !thread::panicking() {
            // SAFETY: connected by `begin`.
            unsafe { pg_sys::SPI_finish() };
        }
    }
}

/// A query that is under way.
pub struct Cursor<'a> {
    portal: pg_sys::Portal,
    _running: Running,
    connection: PhantomData<&'a Connection>,
}

impl Cursor<'_> {
    /// The next `count` rows; fewer at the end.
    pub fn fetch(&mut self, count: i64) -> ResultRows<'_> {
        // SAFETY: the portal is open.
        unsafe { pg_sys::SPI_cursor_fetch(self.portal, true, count) };
        ResultRows::last()
    }
}

impl Drop for Cursor<'_> {
    fn drop(&mut self) {
        if !thread::panicking() {
            // SAFETY: the portal is open.
            unsafe { pg_sys::SPI_cursor_close(self.portal) };
        }
    }
}

/// Rows that a query has given.
pub struct ResultRows<'a> {
    table: *mut pg_sys::SPITupleTable,
    connection: PhantomData<&'a Connection>,
}

impl ResultRows<'_> {
    /// Those of the query that ran last.
    pub fn last() -> Self {
        // SAFETY: set by the query that ran last, which gives rows.
        ResultRows { table: unsafe { pg_sys::SPI_tuptable }, connection: PhantomData }
    }

    fn tuples(&self) -> &[pg_sys::HeapTuple] {
        // SAFETY: the table has as many rows as it says; where there are none, none are read.
        unsafe {
            match usize::try_from((*self.table).numvals) {
                Ok(count) if count > 0 => slice::from_raw_parts((*self.table).vals, count),
                Ok(_) | Err(_) => &[],
            }
        }
    }

    /// Rows that were found.
    pub fn count(&self) -> usize {
        self.tuples().len()
    }

    /// The value in a row, from 0, and a column, from 1; none for NULL, or where there is no such
    /// row or column.
    pub fn value(&self, row: usize, column: i32) -> Option<SqlValue<'_>> {
        self.value_of(*self.tuples().get(row)?, column)
    }

    fn value_of(&self, row: pg_sys::HeapTuple, column: i32) -> Option<SqlValue<'_>> {
        let mut null = true;
        // SAFETY: a row of the table that the descriptor describes; of no column the value is NULL.
        unsafe {
            let descriptor = (*self.table).tupdesc;
            let datum = pg_sys::SPI_getbinval(row, descriptor, column, &raw mut null);
            (!null).then(|| SqlValue::new(self.of(column), datum))
        }
    }

    /// As [`value`](Self::value), as text.
    ///
    /// # Errors
    /// Where it is NULL or no text.
    pub fn text(&self, row: usize, column: i32) -> Result<String, Report> {
        let row = self.tuples().get(row).copied();
        // SAFETY: as above; null, or a string that ends with NUL.
        unsafe {
            let text = row.map(|row| pg_sys::SPI_getvalue(row, (*self.table).tupdesc, column));
            let text = text.filter(|text| !text.is_null());
            decode_c(text.ok_or_else(|| Report::internal("query must return a text"))?)
        }
    }

    fn expect_columns(&self, count: usize) -> Result<(), Report> {
        // SAFETY: a table of rows has a descriptor.
        let columns = unsafe { (*(*self.table).tupdesc).natts };
        if usize::try_from(columns) == Ok(count) {
            return Ok(());
        }
        Err(Report::internal(format!("query must return {count} columns")))
    }

    /// The type of a column, which counts from 1.
    fn of(&self, column: i32) -> Oid {
        // SAFETY: a table of rows has a descriptor; of no column the type is 0.
        unsafe { pg_sys::SPI_gettypeid((*self.table).tupdesc, column) }
    }

    /// The rows, each with all of its values; NULL is none.
    pub fn rows(&self) -> impl Iterator<Item = Vec<Option<OwnedValue>>> {
        // SAFETY: a table of rows has a descriptor.
        let columns = unsafe { (*(*self.table).tupdesc).natts };
        // SAFETY: SPI is connected as long as the rows live.
        let copy = |value| unsafe { OwnedValue::copy(value) };
        self.tuples()
            .iter()
            .map(move |&row| (1..=columns).map(|n| self.value_of(row, n).map(copy)).collect())
    }
}

impl Drop for ResultRows<'_> {
    fn drop(&mut self) {
        if !thread::panicking() {
            // SAFETY: the rows are not looked at any more.
            unsafe { pg_sys::SPI_freetuptable(self.table) };
        }
    }
}

/// Runs a statement that may change something, and keeps no plan of it. What SPI, which is connected, says of it.
///
/// # Errors
/// If a parameter is not of its type.
pub fn run(text: &str, parameters: &[Parameter]) -> Result<i32, Report> {
    let values = datums(parameters)?;
    run_once(text, parameters.iter().map(Parameter::of).zip(values), false)
}

/// The same with values of these types.
fn run_once(
    text: &str,
    values: impl Iterator<Item = (Oid, Datum)>,
    read_only: bool,
) -> Result<i32, Report> {
    let query = encode(text)?;
    let (mut types, mut values): (Vec<Oid>, Vec<Datum>) = values.unzip();
    let count = i32::try_from(values.len()).map_err(|_| Report::internal("many parameters"))?;
    // SAFETY: SPI is connected; there are as many values as types, of these types.
    Ok(unsafe {
        let (types, values, nulls) = (types.as_mut_ptr(), values.as_mut_ptr(), ptr::null());
        let query = query.as_ptr();
        pg_sys::SPI_execute_with_args(query, count, types, values, nulls, read_only, 0)
    })
}

fn datums(parameters: &[Parameter]) -> Result<Vec<Datum>, Report> {
    parameters.iter().map(Parameter::datum).collect()
}

/// Makes an error of what SPI returns, unless it is what is wanted.
pub fn expect(result: i32, wanted: u32, what: &str) -> Result<(), Report> {
    if u32::try_from(result) == Ok(wanted) { Ok(()) } else { Err(failed(what, result)) }
}

/// SPI could not do something.
pub fn failed(what: &str, result: i32) -> Report {
    Report::internal(format!("SPI could not {what}: {result}"))
}
