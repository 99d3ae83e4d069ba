//! `vector_index_info`, `vector_index_check`: what an index holds, and what is wrong with it.

#![allow(unsafe_code)] // opens relations

use pages::Problem;
use pgrx::PgSqlErrorCode::{ERRCODE_INSUFFICIENT_PRIVILEGE, ERRCODE_WRONG_OBJECT_TYPE};
use pgrx::pg_sys::{self, Oid, Relation};

use super::{hnsw, ivf as lists};
use crate::pg::encoding;
use crate::pg::error::Report;
use crate::pg::function::pg_functions;
use crate::pg::relation::{self, Opened};
use crate::pg::rows::{Cell, Rows};
use crate::pg::store::RelationStore;

pg_functions! {
    /// What an index is and holds: a row for each property.
    fn vector_index_info(index: Oid) -> Result<Rows<2>, Report> {
        let index = Index::open(index)?;
        let rows = match index.method {
            Method::Hnsw => graph::info(&index.store()).map(|info| hnsw::properties(&info)),
            Method::Ivf => ivf::info(&index.store()).map(|info| lists::properties(&info)),
        };
        let rows = rows.map_err(|error| index.failed(error))?.into_iter();
        Ok(Rows(rows.map(|(name, value)| [Cell::Text(name.into()), Cell::Text(value)]).collect()))
    }

    /// What is wrong with an index: a row for each problem.
    fn vector_index_check(index: Oid) -> Result<Rows<2>, Report> {
        let index = Index::open(index)?;
        let mut rows = Vec::new();
        let mut report = |problem: Problem| {
            let block = problem.block.map_or(Cell::Null, |block| Cell::Int(block.into()));
            rows.push([block, Cell::Text(problem.what)]);
        };
        match index.method {
            Method::Hnsw => graph::check(&index.store(), &mut report),
            Method::Ivf => ivf::check(&index.store(), &mut report),
        }
        .map_err(|error| index.failed(error))?;
        Ok(Rows(rows))
    }
}

/// An index of ours, open, that the user may look into.
struct Index {
    opened: Opened,
    method: Method,
}

/// Access methods.
#[derive(Clone, Copy)]
enum Method {
    Hnsw,
    Ivf,
}

impl Method {
    /// That of an index; none where it is not one of ours.
    ///
    /// # Safety
    /// `index` is an open relation.
    unsafe fn of(index: Relation) -> Option<Method> {
        // SAFETY: the caller's promise.
        let (hnsw, ivf) = unsafe { (hnsw::is_ours(index), lists::is_ours(index)) };
        if hnsw { Some(Method::Hnsw) } else { ivf.then_some(Method::Ivf) }
    }
}

impl Index {
    fn open(oid: Oid) -> Result<Index, Report> {
        let opened = Opened::open(oid);
        // SAFETY: the relation is open.
        let Some(method) = (unsafe { Method::of(opened.get()) }) else {
            // SAFETY: as above.
            let name = unsafe { relation::qualified_name(opened.get()) };
            let message = format!("{name} is not a vector index");
            return Err(Report::new(ERRCODE_WRONG_OBJECT_TYPE, message).hint(
                "Name an index made with USING hnsw, ivf or ivfflat; of a partitioned one, a partition's.",
            ));
        };
        let index = Index { opened, method };
        index.check_privilege()?;
        Ok(index)
    }

    /// Who may read the table may look into its index; so may who may look into all tables.
    fn check_privilege(&self) -> Result<(), Report> {
        // SAFETY: the index is open; catalog look-ups give null or names that end with NUL.
        let denied = unsafe {
            let table = pg_sys::IndexGetRelation((*self.opened.get()).rd_id, false);
            let acl = pg_sys::ACL_SELECT as pg_sys::AclMode;
            let result = pg_sys::pg_class_aclcheck(table, pg_sys::GetUserId(), acl);
            let monitor = Oid::from(pg_sys::ROLE_PG_STAT_SCAN_TABLES);
            let allowed = result == pg_sys::AclResult::ACLCHECK_OK
                || pg_sys::has_privs_of_role(pg_sys::GetUserId(), monitor);
            (!allowed).then(|| {
                let name = pg_sys::get_rel_name(table);
                if name.is_null() { String::new() } else { encoding::shown(name) }
            })
        };
        denied.map_or(Ok(()), |table| {
            let message = format!("permission denied for table {table}");
            Err(Report::new(ERRCODE_INSUFFICIENT_PRIVILEGE, message))
        })
    }

    fn store(&self) -> RelationStore<'_> {
        // SAFETY: the index is open as long as `self` lives.
        unsafe { RelationStore::new(self.opened.get()) }
    }

    fn name(&self) -> String {
        // SAFETY: as above.
        unsafe { relation::qualified_name(self.opened.get()) }
    }

    fn failed(&self, error: pages::Error) -> Report {
        Report::of_index(&self.name(), error)
    }
}
