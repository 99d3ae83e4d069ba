//! Tables whose rows lie on other servers: foreign tables, and those that have them as partitions or heirs.

use pgrx::PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED;
use pgrx::pg_sys::Oid;

use super::table::Table;
use crate::pg::error::Report;
use crate::pg::relation::Opened;

impl Table {
    /// Whether rows of it lie on foreign servers.
    pub fn is_foreign(&self) -> bool {
        !self.leaves.is_empty()
    }

    /// Refuses a table whose rows have no place by which to tell them apart: postgres_fdw alone tells
    /// the `ctid` of a row.
    ///
    /// # Errors
    /// If it, a partition, or an heir is a foreign table of another wrapper.
    pub fn check_places(&self) -> Result<(), Report> {
        for leaf in self.leaves.iter().filter(|leaf| leaf.is_foreign) {
            if !leaf.is_of_postgres()? {
                let name = Opened::open(leaf.oid).name();
                let message = format!("cannot tell rows of foreign table {name} apart");
                return Err(Report::new(ERRCODE_FEATURE_NOT_SUPPORTED, message)
                    .hint("Only postgres_fdw tells their ctid. vector_search works with others."));
            }
        }
        Ok(())
    }

    /// The tables that hold the rows, as `FROM` names them, if some are foreign: a foreign server returns
    /// the nearest rows of one table, but all rows in order of several. None if rows may be hidden
    /// from the user, or the user may not read both the table and them. They stay locked.
    ///
    /// # Errors
    /// Where a name is no text.
    pub fn parts(&self) -> Result<Option<Vec<(Oid, String)>>, Report> {
        if !self.is_foreign() || !self.opened.may_read() || self.opened.has_row_security() {
            return Ok(None);
        }
        let mut parts = Vec::new();
        for leaf in &self.leaves {
            let part = Opened::open(leaf.oid);
            if !part.may_read() || part.has_row_security() {
                return Ok(None);
            }
            // Heirs are parts of their own.
            let only = if self.opened.has_heirs() { "ONLY " } else { "" };
            parts.push((leaf.oid, format!("{only}{}", part.name_in_sql()?)));
            // The statement finds it by its name.
            part.keep_lock();
        }
        Ok(Some(parts))
    }
}
