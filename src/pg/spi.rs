//! Statements that functions run inside of the statement that calls them: with its snapshot, as its
//! user, planned once.

#![allow(unsafe_code)] // calls into PostgreSQL

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ffi::CString;
use std::slice;

use pgrx::pg_sys::{self, Datum, Oid};

use super::error::Report;
use super::function::Args;
use super::rows::ResultSet;

/// Plans that a session keeps; beyond it, it begins anew.
const MAX_PLANS: usize = 256;

thread_local! {
    /// Plans by text and types of parameters. PostgreSQL revalidates a plan before each use: whatever
    /// changes in the catalog, in row security or of the user makes a new one of it.
    static PLANS: RefCell<HashMap<Key, pg_sys::SPIPlanPtr>> = RefCell::default();
    /// Plans that are being run: a statement may call functions that run others.
    static RUNNING: Cell<usize> = const { Cell::new(0) };
}

/// A plan that is being run.
struct Running;

impl Running {
    fn begin() -> Running {
        RUNNING.set(RUNNING.get() + 1);
        Running
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        RUNNING.set(RUNNING.get() - 1);
    }
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    text: String,
    types: Vec<Oid>,
}

/// A value of a parameter: as its type's input function reads it.
pub struct Parameter {
    /// The type.
    pub of: Oid,
    /// The value.
    pub text: String,
}

/// Runs a query that gives rows of the `N` columns that the function which is called declares, and
/// makes them its result. Nothing can be changed by it.
pub fn fill<const N: usize>(
    args: &Args,
    text: &str,
    parameters: &[Parameter],
) -> Result<Datum, Report> {
    let rows = ResultSet::begin::<N>(args)?;
    let mut values = parameters.iter().map(input).collect::<Result<Vec<Datum>, _>>()?;
    // SAFETY: SPI is connected while it is used; an error disconnects it with the transaction. Rows of
    // the result are copied before `SPI_finish` frees them.
    unsafe {
        expect(pg_sys::SPI_connect(), pg_sys::SPI_OK_CONNECT, "connect")?;
        let plan = plan(text, parameters)?;
        let _running = Running::begin();
        let values = values.as_mut_ptr();
        let result = pg_sys::SPI_execute_plan(plan, values, std::ptr::null(), true, 0);
        expect(result, pg_sys::SPI_OK_SELECT, "select")?;
        let found = &*pg_sys::SPI_tuptable;
        let count = usize::try_from(pg_sys::SPI_processed).unwrap_or(0);
        if usize::try_from((*found.tupdesc).natts) != Ok(N) {
            return Err(Report::internal(format!("query must return {N} columns")));
        }
        if count > 0 {
            slice::from_raw_parts(found.vals, count).iter().for_each(|&row| rows.put_tuple(row));
        }
        expect(pg_sys::SPI_finish(), pg_sys::SPI_OK_FINISH, "finish")?;
    }
    Ok(Datum::null())
}

/// # Safety
/// SPI is connected.
unsafe fn plan(text: &str, parameters: &[Parameter]) -> Result<pg_sys::SPIPlanPtr, Report> {
    let types = parameters.iter().map(|parameter| parameter.of).collect();
    let key = Key { text: text.to_owned(), types };
    if let Some(plan) = PLANS.with_borrow(|plans| plans.get(&key).copied()) {
        return Ok(plan);
    }
    let query = CString::new(text).map_err(|_| Report::internal("text with a NUL byte"))?;
    let count = i32::try_from(key.types.len()).map_err(|_| Report::internal("many parameters"))?;
    // SAFETY: the text ends with NUL and the types are as many as said; a plan that is kept lives
    // until it is freed, which is when it leaves the map.
    unsafe {
        let plan = pg_sys::SPI_prepare(query.as_ptr(), count, key.types.clone().as_mut_ptr());
        if plan.is_null() {
            return Err(failed("prepare", pg_sys::SPI_result));
        }
        PLANS.with_borrow_mut(|plans| {
            if plans.len() >= MAX_PLANS && RUNNING.get() == 0 {
                for (_, old) in plans.drain() {
                    pg_sys::SPI_freeplan(old);
                }
            }
            // One that is not kept goes with `SPI_finish`.
            if plans.len() < MAX_PLANS {
                expect(pg_sys::SPI_keepplan(plan), 0, "keep")?;
                plans.insert(key, plan);
            }
            Ok(plan)
        })
    }
}

fn input(parameter: &Parameter) -> Result<Datum, Report> {
    let text = CString::new(parameter.text.as_str()).map_err(|_| {
        let code = pgrx::PgSqlErrorCode::ERRCODE_CHARACTER_NOT_IN_REPERTOIRE;
        Report::new(code, "invalid byte sequence for encoding \"UTF8\": 0x00")
    })?;
    let (mut function, mut of) = (Oid::INVALID, Oid::INVALID);
    // SAFETY: a text that ends with NUL, for the input function of a type that there is.
    unsafe {
        pg_sys::getTypeInputInfo(parameter.of, &raw mut function, &raw mut of);
        Ok(pg_sys::OidInputFunctionCall(function, text.as_ptr().cast_mut(), of, -1))
    }
}

fn expect(result: i32, wanted: u32, what: &str) -> Result<(), Report> {
    if u32::try_from(result) == Ok(wanted) { Ok(()) } else { Err(failed(what, result)) }
}

fn failed(what: &str, result: i32) -> Report {
    Report::internal(format!("SPI could not {what}: {result}"))
}
