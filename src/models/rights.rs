//! Whose code runs: triggers, policies, and expressions of indexes are the owner's of a table, and run as
//! whoever reads or writes it.

use pgrx::PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE;
use pgrx::pg_sys::Oid;

use super::rows::number;
use crate::pg::error::Report;
use crate::pg::indexes::with_heirs;
use crate::pg::relation::{Opened, quoted};
use crate::pg::role::{current_user, is_superuser, is_superuser_role};
use crate::pg::spi::Connection;

/// Number of pending rows of a column, also of those that a model refused; none unless the table and all that
/// inherit from it belong to the current user. Even planning a query runs code of a table's owner, and whoever
/// asks for all columns names no table.
///
/// # Errors
/// If there is no such column.
pub fn count(rel: Oid, source: &str, target: &str) -> Result<Option<i64>, Report> {
    let Some(opened) = Opened::find(rel) else {
        return Ok(None);
    };
    let user = current_user();
    if owners(rel).any(|owner| owner != user) {
        return Ok(None);
    }
    let query = format!(
        "SELECT pg_catalog.count(*) FROM {} AS t WHERE t.{} IS NULL AND t.{} IS NOT NULL",
        opened.name_in_sql()?,
        quoted(target),
        quoted(source)
    );
    let connection = Connection::begin()?;
    number(&connection.select_once(&query, &[])?, 0, 1).map(Some)
}

/// The owners of a table and of all that inherit from it, which stay so until the end of the transaction.
fn owners(table: Oid) -> impl Iterator<Item = Oid> {
    with_heirs(table).into_iter().filter_map(Opened::find).map(|table| table.owner())
}

/// Refuses to run the code of others, such as triggers and index expressions, as a superuser.
///
/// # Errors
/// If the current user is a superuser, and an owner of the table is not.
pub fn check_owners(rel: Oid) -> Result<(), Report> {
    if !is_superuser() || owners(rel).all(is_superuser_role) {
        return Ok(());
    }
    let message = "embed_pending() runs code of the owner of the table, who is no superuser";
    Err(Report::new(ERRCODE_INSUFFICIENT_PRIVILEGE, message)
        .hint("SET ROLE to the owner of the table, and call it again."))
}
