//! Errors of models as users read them.

use models::{Error, ErrorKind, Invalid};
use pgrx::PgSqlErrorCode::{
    self, ERRCODE_CONNECTION_FAILURE, ERRCODE_FEATURE_NOT_SUPPORTED,
    ERRCODE_INVALID_PARAMETER_VALUE, ERRCODE_IO_ERROR, ERRCODE_OUT_OF_MEMORY,
    ERRCODE_PROTOCOL_VIOLATION, ERRCODE_QUERY_CANCELED,
    ERRCODE_SQLSERVER_REJECTED_ESTABLISHMENT_OF_SQLCONNECTION,
};

use crate::pg::error::Report;

impl From<Invalid> for Report {
    fn from(invalid: Invalid) -> Report {
        let Invalid { message, detail, hint } = invalid;
        let report = Report::new(ERRCODE_INVALID_PARAMETER_VALUE, message);
        let report = detail.into_iter().fold(report, Report::detail);
        hint.into_iter().fold(report, Report::hint)
    }
}

impl From<Error> for Report {
    fn from(error: Error) -> Report {
        let report = Report::new(code(error.kind), error.message);
        error.hint.into_iter().fold(report, Report::hint)
    }
}

fn code(kind: ErrorKind) -> PgSqlErrorCode {
    match kind {
        ErrorKind::Connection | ErrorKind::Timeout => ERRCODE_CONNECTION_FAILURE,
        ErrorKind::Reply => ERRCODE_PROTOCOL_VIOLATION,
        ErrorKind::Rejected | ErrorKind::Refused => {
            ERRCODE_SQLSERVER_REJECTED_ESTABLISHMENT_OF_SQLCONNECTION
        }
        ErrorKind::Forbidden => ERRCODE_INVALID_PARAMETER_VALUE,
        ErrorKind::Unsupported => ERRCODE_FEATURE_NOT_SUPPORTED,
        ErrorKind::File => ERRCODE_IO_ERROR,
        ErrorKind::Memory => ERRCODE_OUT_OF_MEMORY,
        ErrorKind::Stopped => ERRCODE_QUERY_CANCELED,
    }
}
