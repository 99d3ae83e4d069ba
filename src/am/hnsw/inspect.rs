//! `vector_index_info`, `vector_index_check`: what an index holds, and what is wrong with it.

#![allow(unsafe_code)] // opens relations

use std::ffi::CStr;

use graph::{Info, Problem};
use pages::Form;
use pgrx::PgSqlErrorCode::{ERRCODE_INSUFFICIENT_PRIVILEGE, ERRCODE_WRONG_OBJECT_TYPE};
use pgrx::pg_sys::{self, Oid};
use quant::Metric;

use super::handler;
use crate::am;
use crate::am::ivf::inspect::properties as ivf_properties;
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
            Method::Hnsw => graph::info(&index.store()).map(|info| properties(&info)),
            Method::Ivf => ivf::info(&index.store()).map(|info| ivf_properties(&info)),
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

/// The rows of `vector_index_info`.
fn properties(info: &Info) -> Vec<(&'static str, String)> {
    let meta = &info.meta;
    let geometry = &meta.geometry;
    let metric = match Metric::from_byte(meta.metric) {
        Some(Metric::L2) => "l2",
        Some(Metric::InnerProduct) => "inner product",
        Some(Metric::Cosine) => "cosine",
        Some(Metric::L1) => "l1",
        Some(Metric::Hamming) => "hamming",
        Some(Metric::Jaccard) => "jaccard",
        None => "unknown",
    };
    let form = match geometry.form {
        Form::Floats => "32-bit floats",
        Form::Halves => "16-bit floats",
        Form::Bits => "bits",
        Form::Bytes => "8-bit integers",
        Form::Sq8 => "8-bit codes",
        Form::Rabitq => "4-bit codes",
        Form::Sparse => "sparse 32-bit floats",
    };
    let upper = info.levels.iter().skip(1).map(u64::to_string).collect::<Vec<_>>();
    let elements = info.levels.first().copied().unwrap_or(0);
    let records: u64 = info.levels.iter().sum();
    let bytes = |records: u64| (records * geometry.record_size as u64).to_string();
    let blocks = |pages: u32| (u64::from(pages) * u64::from(pg_sys::BLCKSZ)).to_string();
    let edges = info.edges as f64 / records.max(1) as f64;
    vec![
        ("format version", pages::FORMAT_VERSION.to_string()),
        ("metric", metric.into()),
        ("dimensions", geometry.dims.to_string()),
        ("vectors held as", form.into()),
        ("m", meta.m.to_string()),
        ("ef_construction", meta.ef_construction.to_string()),
        ("elements", elements.to_string()),
        ("elements on upper levels", upper.join(", ")),
        ("tuples", info.tids.to_string()),
        ("dying elements", info.dying.to_string()),
        ("overflow records", info.overflow.to_string()),
        ("tails", info.tails.to_string()),
        ("free records", info.free.to_string()),
        ("edges per element", format!("{edges:.1}")),
        ("records per page", geometry.records_per_page.to_string()),
        ("bytes per record", geometry.record_size.to_string()),
        ("bits per code", (geometry.code_bytes() * 8).to_string()),
        ("pages", info.pages.to_string()),
        ("bytes", blocks(info.pages)),
        ("bytes of elements", bytes(elements)),
        ("bytes of upper levels", bytes(records - elements)),
        ("bytes of overflow records", bytes(info.overflow)),
        ("bytes of dying elements", bytes(info.dying)),
        ("bytes of free records", bytes(info.free)),
        ("bytes of unwritten pages", blocks(info.unwritten)),
    ]
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

impl Index {
    fn open(oid: Oid) -> Result<Index, Report> {
        let opened = Opened::open(oid);
        // SAFETY: the relation is open.
        let (hnsw, ivf) =
            unsafe { (handler::is_ours(opened.get()), am::ivf::is_ours(opened.get())) };
        let method = if hnsw { Method::Hnsw } else { Method::Ivf };
        let index = Index { opened, method };
        if !hnsw && !ivf {
            let message = format!("{} is not a vector index", index.name());
            return Err(Report::new(ERRCODE_WRONG_OBJECT_TYPE, message).hint(
                "Name an index made with USING hnsw, ivf or ivfflat; of a partitioned one, a partition's.",
            ));
        }
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
                if name.is_null() {
                    String::new()
                } else {
                    CStr::from_ptr(name).to_string_lossy().into_owned()
                }
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
