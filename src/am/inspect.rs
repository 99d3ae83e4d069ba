//! `vector_index_info`, `vector_index_check`: what an index holds, and what is wrong with it.

#![allow(unsafe_code)] // opens relations

use memory::Grow;
use pages::{FORMAT_VERSION, META_BLOCK, PageStore, Problem, page_kind};
use pgrx::PgSqlErrorCode::{
    ERRCODE_INSUFFICIENT_PRIVILEGE, ERRCODE_INVALID_PARAMETER_VALUE, ERRCODE_WRONG_OBJECT_TYPE,
};
use pgrx::pg_sys::{self, Oid};

use super::inspector::Inspector;
use crate::pg::error::Report;
use crate::pg::function::pg_functions;
use crate::pg::relation::{self, Opened};
use crate::pg::rows::{Cell, Rows};
use crate::pg::store::RelationStore;

pg_functions! {
    /// What an index is and holds: a row for each property.
    fn vector_index_info(index: Oid) -> Result<Rows<2>, Report> {
        let index = Index::open(index)?;
        let properties = (index.inspector.info)(&index.store());
        let rows = properties.map_err(|error| index.failed(error))?.into_iter();
        Ok(Rows(rows.map(|(name, value)| [Cell::Text(name.into()), Cell::Text(value)]).collect()))
    }

    /// What is wrong with an index: a row for each problem.
    fn vector_index_check(index: Oid) -> Result<Rows<2>, Report> {
        let index = Index::open(index)?;
        let (mut rows, mut refused) = (Vec::new(), Ok(()));
        let mut report = |problem: Problem| {
            let block = problem.block.map_or(Cell::Null, |block| Cell::Int(block.into()));
            if refused.is_ok() {
                refused = rows.try_push([block, Cell::Text(problem.what)]);
            }
        };
        // SAFETY: the table is open as long as the index is looked into.
        let blocks = || unsafe { relation::blocks(index.table.get()) };
        (index.inspector.check)(&index.store(), &blocks, &mut report)
            .map_err(|error| index.failed(error))?;
        refused?;
        Ok(Rows(rows))
    }
}

pg_functions! {
    /// The version of an index's format, which this library reads. Scripts of new versions ask for it.
    fn vector_index_format(index: Oid) -> Result<i32, Report> {
        let index = Index::open(index)?;
        let kind = index.store().read(META_BLOCK).and_then(|page| page_kind(&page, META_BLOCK));
        kind.map_err(|error| index.failed(error))?;
        Ok(FORMAT_VERSION.into())
    }
}

/// An index of ours, open as its table is, that the user may look into.
pub(super) struct Index {
    table: Opened,
    opened: Opened,
    inspector: Inspector,
}

/// What to name.
const HINT: &str = "Name an index made with USING hnsw, ivf, ivfflat or inverted.";

impl Index {
    /// Opens an index of ours.
    ///
    /// # Errors
    /// Where it is not one, or the user may not read its table, or it cannot be read here.
    pub(super) fn open(oid: Oid) -> Result<Index, Report> {
        let unknown = || {
            let message = format!("there is no relation with OID {}", oid.to_u32());
            Report::new(ERRCODE_INVALID_PARAMETER_VALUE, message).hint(HINT)
        };
        // The table first, as everywhere: locks taken in another order may wait for each other.
        // SAFETY: a look-up in the catalog; 0 of what is no index.
        let table = unsafe { pg_sys::IndexGetRelation(oid, true) };
        let table = Opened::find(table);
        let opened = Opened::find(oid).ok_or_else(unknown)?;
        // SAFETY: the relation is open.
        let inspector = unsafe { Inspector::of(opened.get()) };
        let (Some(table), Some(inspector)) = (table, inspector) else {
            let message = format!("{} is not a vector index", opened.name());
            return Err(Report::new(ERRCODE_WRONG_OBJECT_TYPE, message).hint(HINT));
        };
        if opened.kind() == pg_sys::RELKIND_PARTITIONED_INDEX {
            return Err(partitioned(&opened.name()));
        }
        let index = Index { table, opened, inspector };
        if !index.table.may_read() && !may_read_all() {
            return Err(index.denied());
        }
        index.opened.check_readable()?;
        Ok(index)
    }

    /// The user may not read the table.
    pub(super) fn denied(&self) -> Report {
        let message = format!("permission denied for table {}", self.table.unqualified_name());
        Report::new(ERRCODE_INSUFFICIENT_PRIVILEGE, message)
    }

    /// The table.
    pub(super) fn table(&self) -> &Opened {
        &self.table
    }

    /// The index's OID.
    pub(super) fn oid(&self) -> Oid {
        self.opened.oid()
    }

    /// The index's name with its schema.
    pub(super) fn name(&self) -> String {
        self.opened.name()
    }

    fn store(&self) -> RelationStore<'_> {
        // SAFETY: the index is open as long as `self` lives.
        unsafe { RelationStore::new(self.opened.get()) }
    }

    fn failed(&self, error: pages::Error) -> Report {
        Report::of_index(&self.name(), error)
    }
}

/// Whether the current user may look into all tables.
fn may_read_all() -> bool {
    let monitor = Oid::from(pg_sys::ROLE_PG_STAT_SCAN_TABLES);
    // SAFETY: a look-up in the catalog.
    unsafe { pg_sys::has_privs_of_role(pg_sys::GetUserId(), monitor) }
}

/// An index that has no pages of its own.
fn partitioned(name: &str) -> Report {
    // The name inside of a literal.
    let literal = name.replace('\'', "''");
    Report::new(ERRCODE_WRONG_OBJECT_TYPE, format!("index {name} is partitioned")).hint(format!(
        "Name the index of a partition: \
         SELECT relid::regclass FROM pg_partition_tree('{literal}') WHERE isleaf."
    ))
}
