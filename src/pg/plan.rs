//! Plans of statements that functions run, kept for the session.

#![allow(unsafe_code)] // calls into PostgreSQL

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use pgrx::pg_sys::{self, Oid};

use super::encoding::encode;
use super::error::Report;
use super::parameter::Parameter;
use super::spi::{expect, failed};

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
pub struct Running;

impl Running {
    /// Until it is dropped.
    pub fn begin() -> Running {
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

/// The plan of a statement, made at its first use.
///
/// # Safety
/// SPI is connected.
pub unsafe fn plan(text: &str, parameters: &[Parameter]) -> Result<pg_sys::SPIPlanPtr, Report> {
    let types = parameters.iter().map(Parameter::of).collect();
    let key = Key { text: text.to_owned(), types };
    if let Some(plan) = PLANS.with_borrow(|plans| plans.get(&key).copied()) {
        return Ok(plan);
    }
    let query = encode(text)?;
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
