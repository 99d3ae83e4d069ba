//! The one place that raises errors.
//!
//! Code below the entry points returns `Result`; its error type converts into a [`Report`], and
//! the entry point raises it. To add errors of another area, implement `From<TheirError> for
//! Report` beside them.

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::{PgLogLevel, PgSqlErrorCode};

/// What the user will read: SQLSTATE, message, and optionally detail and hint, worded in
/// PostgreSQL's style (message: lower case, no full stop; detail and hint: sentences).
#[derive(Debug)]
pub struct Report(Box<ErrorReport>);

impl Report {
    /// An error with a SQLSTATE and a primary message.
    #[track_caller]
    pub fn new(code: PgSqlErrorCode, message: impl Into<String>) -> Report {
        Report(Box::new(ErrorReport::new(code, message.into(), "vector_ext")))
    }

    /// An error that only a bug or a hand-made call can cause (SQLSTATE XX000).
    #[track_caller]
    pub fn internal(message: impl Into<String>) -> Report {
        Report::new(PgSqlErrorCode::ERRCODE_INTERNAL_ERROR, message)
    }

    /// Adds the DETAIL line.
    pub fn detail(self, detail: impl Into<String>) -> Report {
        Report(Box::new(self.0.set_detail(detail)))
    }

    /// Adds the HINT line; it says what to do next.
    #[expect(dead_code, reason = "the index access methods give hints")]
    pub fn hint(self, hint: impl Into<String>) -> Report {
        Report(Box::new(self.0.set_hint(hint)))
    }

    /// Ends the statement with this error.
    pub fn raise(self) -> ! {
        self.0.report(PgLogLevel::ERROR);
        unreachable!("reporting at level ERROR does not return");
    }
}
