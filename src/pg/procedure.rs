//! Procedures, which end transactions while they run.

#![allow(unsafe_code)] // calls into PostgreSQL

use std::thread;

use pgrx::PgSqlErrorCode::ERRCODE_INVALID_TRANSACTION_TERMINATION;
use pgrx::pg_sys::{self, CallContext};

use super::error::Report;
use super::function::{Args, Argument};
use super::parameter::Parameter;
use super::spi::{ResultRows, expect, failed, run};

/// The transactions of a procedure: it runs in one, and begins the next as it commits.
pub struct Transactions(());

impl Argument<'_> for Transactions {
    const COUNT: usize = 0;

    fn take(args: &mut Args) -> Result<Transactions, Report> {
        // SAFETY: `fcinfo` is valid; its context is null or a node, which tells its kind.
        let may_commit = unsafe {
            let context = (*args.fcinfo()).context;
            !context.is_null()
                && (*context).type_ == pg_sys::NodeTag::T_CallContext
                && !(*context.cast::<CallContext>()).atomic
        };
        if !may_commit {
            return Err(Report::new(
                ERRCODE_INVALID_TRANSACTION_TERMINATION,
                "procedure cannot run inside a transaction block",
            )
            .detail("It commits after each batch.")
            .hint("CALL it as a statement of its own."));
        }
        // SAFETY: inside of a procedure that may commit.
        let connected = unsafe { pg_sys::SPI_connect_ext(pg_sys::SPI_OPT_NONATOMIC as i32) };
        expect(connected, pg_sys::SPI_OK_CONNECT, "connect")?;
        Ok(Transactions(()))
    }
}

impl Transactions {
    /// Runs a query, with a snapshot of its own, and returns its rows.
    ///
    /// # Errors
    /// If a parameter is not of its type.
    pub fn select(&self, text: &str, parameters: &[Parameter]) -> Result<ResultRows<'_>, Report> {
        expect(run(text, parameters)?, pg_sys::SPI_OK_SELECT, "execute")?;
        Ok(ResultRows::last())
    }

    /// Runs an `UPDATE`, `INSERT`, or `DELETE`, and returns the number of its rows.
    ///
    /// # Errors
    /// As [`select`](Self::select).
    pub fn change(&self, text: &str, parameters: &[Parameter]) -> Result<u64, Report> {
        let kinds = [
            pg_sys::SPI_OK_UPDATE,
            pg_sys::SPI_OK_INSERT,
            pg_sys::SPI_OK_DELETE,
            pg_sys::SPI_OK_SELECT,
        ];
        let result = run(text, parameters)?;
        if kinds.iter().all(|&kind| u32::try_from(result) != Ok(kind)) {
            return Err(failed("execute", result));
        }
        // SAFETY: set by the statement that ran last.
        Ok(unsafe { pg_sys::SPI_processed })
    }

    /// Commits, and begins the next transaction, which has no snapshot until a statement runs.
    pub fn commit(&self) {
        // SAFETY: connected by a procedure that may commit; an error passes through our frames.
        unsafe {
            pg_sys::SPI_commit();
            // PostgreSQL before 14.3 leaves the procedure without a transaction.
            pg_sys::SPI_start_transaction();
        }
    }
}

impl Drop for Transactions {
    fn drop(&mut self) {
        // The end of a failed transaction ends the connection.
        if !thread::panicking() {
            // SAFETY: connected by `take`.
            unsafe { pg_sys::SPI_finish() };
        }
    }
}
