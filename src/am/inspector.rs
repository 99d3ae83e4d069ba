//! What can be told of an index whose access method is not known beforehand.
//!
//! PostgreSQL does not say which access method of ours an index is of: the OIDs of methods and their
//! handlers differ between databases, other libraries have handlers of the same name, and addresses
//! of functions need not differ. So the handler of the index is called, as PostgreSQL did when it
//! opened the index, and leaves word if it is one of ours.

#![allow(unsafe_code)] // calls into PostgreSQL

use std::cell::Cell;

use pages::Problem;
use pgrx::pg_sys::{self, BLCKSZ, Datum, IndexOptInfo, Oid, Relation};
use quant::Metric;

use super::cost::{self, Estimate, Rows, Walk};
use super::method::AccessMethod;
use super::opclass::OpClass;
use crate::pg::altered;
use crate::pg::error::Report;
use crate::pg::node::Operation;
use crate::pg::store::RelationStore;

/// Properties of an index, and their values.
pub type Properties = Vec<(&'static str, String)>;

/// How an access method looks into an index.
pub trait Inspect: AccessMethod {
    /// What an index holds, for `vector_index_info`.
    fn info(store: &RelationStore<'_>) -> pages::Result<Properties>;
    /// Reports what is wrong with an index, for `vector_index_check`. `table_blocks` tells how many
    /// blocks its table has.
    fn check(
        store: &RelationStore<'_>,
        table_blocks: &dyn Fn() -> u32,
        report: &mut dyn FnMut(Problem),
    ) -> pages::Result<()>;
}

/// How properties name a metric.
pub fn metric_name(metric: Metric) -> &'static str {
    match metric {
        Metric::L2 => "l2",
        Metric::InnerProduct => "inner product",
        Metric::Cosine => "cosine",
        Metric::L1 => "l1",
        Metric::Hamming => "hamming",
        Metric::Jaccard => "jaccard",
    }
}

/// Bytes of so many pages.
pub fn page_bytes(pages: u32) -> String {
    (u64::from(pages) * u64::from(BLCKSZ)).to_string()
}

type Info = fn(&RelationStore<'_>) -> pages::Result<Properties>;
type Check = fn(&RelationStore<'_>, &dyn Fn() -> u32, &mut dyn FnMut(Problem)) -> pages::Result<()>;

type Fits = unsafe fn(Relation, Datum) -> Result<(), Report>;
type Costs = unsafe fn(&IndexOptInfo, &[Rows]) -> Vec<Walk>;

/// [`Inspect`] and [`Estimate`] for some access method.
#[derive(Clone, Copy)]
pub struct Inspector {
    /// [`Inspect::info`].
    pub info: Info,
    /// [`Inspect::check`].
    pub check: Check,
    /// [`Estimate::walk`].
    pub walk: Costs,
    /// [`Estimate::found`].
    pub found: fn(Oid, &Operation) -> Option<f64>,
    /// [`AccessMethod::MATCHES`].
    pub matches: bool,
    /// Refuses storage parameters, as `pg_class` has them, that an open index of the method cannot have.
    pub fits: Fits,
}

/// [`Inspector::fits`]. What the index has already is not refused, so that it can be changed otherwise.
///
/// # Safety
/// `index` is an open index of the method, and `parameters` are for one.
unsafe fn fits<M: AccessMethod>(index: Relation, parameters: Datum) -> Result<(), Report> {
    let list = M::parameters();
    // SAFETY: as promised; PostgreSQL keeps what this method made of the parameters.
    unsafe {
        let new = list.numbers(list.parse(parameters, false));
        if new == list.numbers((*index).rd_options) {
            return Ok(());
        }
        M::accept(&new, OpClass::of(index)?)
    }
}

thread_local! {
    /// The handler of ours that was called last.
    static LAST_HANDLER: Cell<Option<(Oid, Inspector)>> = const { Cell::new(None) };
}

impl Inspector {
    /// That of an access method.
    pub fn new<M: Inspect + Estimate>() -> Inspector {
        Inspector {
            info: M::info,
            check: M::check,
            walk: cost::walk::<M>,
            found: M::found,
            matches: M::MATCHES,
            fits: fits::<M>,
        }
    }

    /// Leaves word that `handler` is being called, whose access method this is for.
    pub fn announce(self, handler: Oid) {
        LAST_HANDLER.set(Some((handler, self)));
    }

    /// That of an index's access method; none where it is not one of ours.
    ///
    /// # Safety
    /// `index` is an open relation.
    pub unsafe fn of(index: Relation) -> Option<Inspector> {
        // SAFETY: `index` is open; only indexes have a routine, and their handler returns a new
        // one in memory of its own.
        let handler = unsafe {
            if (*index).rd_indam.is_null() {
                return None;
            }
            let handler = (*index).rd_amhandler;
            LAST_HANDLER.set(None);
            pg_sys::pfree(pg_sys::GetIndexAmRoutine(handler).cast());
            handler
        };
        // To find the handler, PostgreSQL may open other indexes, and call theirs.
        LAST_HANDLER.take().filter(|&(last, _)| last == handler).map(|(_, inspector)| inspector)
    }
}

/// Has `ALTER INDEX` refuse what the index could not be rebuilt with. Called when the library is loaded.
pub fn register() {
    altered::watch(|index, parameters| {
        // SAFETY: the index is open, and has these parameters in the catalog.
        unsafe {
            let inspector = Inspector::of(index.get());
            inspector.map_or(Ok(()), |inspector| (inspector.fits)(index.get(), parameters))
        }
    });
}
