//! The one place that raises errors.
//!
//! Code below the entry points returns `Result`; its error type converts into a [`Report`], and
//! the entry point raises it. To add errors of another area, implement `From<TheirError> for
//! Report` beside them.

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::{PgLogLevel, PgSqlErrorCode};

use super::encoding::sendable;

/// What the user will read: SQLSTATE, message, and optionally detail and hint, worded in
/// PostgreSQL's style (message: lower case, no full stop; detail and hint: sentences).
#[derive(Debug)]
pub struct Report {
    code: PgSqlErrorCode,
    report: Box<ErrorReport>,
}

impl Report {
    /// An error with a SQLSTATE and a primary message.
    #[track_caller]
    pub fn new(code: PgSqlErrorCode, message: impl Into<String>) -> Report {
        let report = Box::new(ErrorReport::new(code, message.into(), "vector_ext"));
        Report { code, report }
    }

    /// An error that only a bug or a hand-made call can cause (SQLSTATE XX000).
    #[track_caller]
    pub fn internal(message: impl Into<String>) -> Report {
        Report::new(PgSqlErrorCode::ERRCODE_INTERNAL_ERROR, message)
    }

    /// Adds the DETAIL line.
    pub fn detail(self, detail: impl Into<String>) -> Report {
        Report { report: Box::new(self.report.set_detail(detail)), ..self }
    }

    /// Adds the HINT line; it says what to do next.
    pub fn hint(self, hint: impl Into<String>) -> Report {
        Report { report: Box::new(self.report.set_hint(hint)), ..self }
    }

    /// What went wrong in the index whose schema-qualified name is `index`.
    pub fn of_index(index: &str, error: pages::Error) -> Report {
        use PgSqlErrorCode::*;
        use pages::Error::*;
        let rebuild = format!("Rebuild it with REINDEX INDEX {index}.");
        match error {
            Corrupted { block, what } => {
                let message = format!("index {index} is corrupted at block {block}: {what}");
                Report::new(ERRCODE_INDEX_CORRUPTED, message).hint(rebuild)
            }
            Version { found } => {
                let message =
                    format!("index {index} has format version {found}, which is not supported");
                Report::new(ERRCODE_FEATURE_NOT_SUPPORTED, message).hint(rebuild)
            }
            Dimensions { expected, .. } => Report::new(ERRCODE_DATA_EXCEPTION, error.to_string())
                .detail(format!("Index {index} holds vectors of {expected} dimensions."))
                .hint(format!(
                    "Drop the index, or give its column a type with {expected} dimensions again."
                )),
            Limit(what) => {
                Report::new(ERRCODE_PROGRAM_LIMIT_EXCEEDED, format!("index {index}: {what}"))
            }
            NoRoom(what) => Report::new(ERRCODE_DISK_FULL, format!("index {index}: {what}")),
            OutOfMemory => Report::from(memory::OutOfMemory)
                .detail(format!("Failed while working on index {index}.")),
            Interrupted => {
                // Raises the proper error, unless the request has gone in the meantime.
                pgrx::check_for_interrupts!();
                Report::new(ERRCODE_QUERY_CANCELED, "canceling statement due to user request")
            }
            Internal(what) => Report::internal(format!("index {index}: {what}")),
            Crashed => Report::internal("index store crashed on request"),
        }
    }

    /// Writes this to the server's log, and goes on.
    pub fn log(self) {
        self.sendable().report(PgLogLevel::LOG);
    }

    /// Tells the client this, and goes on.
    pub fn notice(self) {
        self.sendable().report(PgLogLevel::NOTICE);
    }

    /// Warns the client of this, and goes on.
    pub fn warn(self) {
        self.sendable().report(PgLogLevel::WARNING);
    }

    /// Ends the statement with this error.
    pub fn raise(self) -> ! {
        self.sendable().report(PgLogLevel::ERROR);
        unreachable!("reporting at level ERROR does not return");
    }

    /// The same in text of the database.
    fn sendable(self) -> ErrorReport {
        let Report { code, report } = self;
        let texts = [Some(report.message()), report.detail(), report.hint()];
        if texts.iter().flatten().all(|text| text.is_ascii()) {
            return *report;
        }
        let sent = ErrorReport::new(code, sendable(report.message()), "vector_ext");
        let sent = match report.detail() {
            Some(detail) => sent.set_detail(sendable(detail)),
            None => sent,
        };
        match report.hint() {
            Some(hint) => sent.set_hint(sendable(hint)),
            None => sent,
        }
    }
}

impl From<memory::OutOfMemory> for Report {
    fn from(_: memory::OutOfMemory) -> Report {
        Report::new(PgSqlErrorCode::ERRCODE_OUT_OF_MEMORY, "out of memory").hint(
            "Lower maintenance_work_mem or work_mem, so that more goes to temporary files, or let \
             fewer sessions work at once.",
        )
    }
}

/// What a user wrote, for a message. Bytes of another encoding than UTF-8 cannot be carried in one,
/// so they show as question marks.
pub fn printable(text: &[u8]) -> String {
    match str::from_utf8(text) {
        Ok(text) => text.to_owned(),
        Err(_) => text.iter().map(|&b| if b.is_ascii() { char::from(b) } else { '?' }).collect(),
    }
}
