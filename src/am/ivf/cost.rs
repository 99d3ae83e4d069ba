//! What a scan costs, in the planner's units.
//!
//! A scan reads the list of lists, then the lists that its settings say, before it returns its
//! first row: all their pages, or where entries have codes, their blocks and some vectors. Its rows
//! come at once then. A page costs what one of an hnsw index does.
//!
//! Reading the rows themselves, and how many of them a LIMIT and other conditions take, is added by
//! PostgreSQL.

#![allow(unsafe_code)] // called by PostgreSQL

use ivf::Meta;
use pages::{META_BLOCK, PAGE_BODY, PageStore};
use pgrx::pg_guard;
use pgrx::pg_sys::{self, Cost, IndexOptInfo, IndexPath, PlannerInfo, Selectivity};

use super::method::Method;
use super::settings;
use crate::am::cost::{order_cost, page_cost};
use crate::pg::relation::Opened;
use crate::pg::store::RelationStore;
use crate::pg::version;

/// Dimensions of a distance, and of a code, that take as long as a simple operator.
const DIMS_PER_OPERATOR: f64 = 128.0;
const CODED_DIMS_PER_OPERATOR: f64 = 4_096.0;
/// Vectors that are read of lists with codes.
const VECTORS_READ: f64 = 100.0;

/// What a scan does.
struct Work {
    pages: f64,
    /// Entries looked at.
    entries: f64,
    /// Simple operators that take as long as all computations.
    operators: f64,
}

impl Work {
    /// Of a scan of an index with this metapage, and this number of pages and rows.
    fn of(method: Method, meta: &Meta, pages: f64, rows: f64) -> Work {
        let (lists, probes) = (f64::from(meta.lists), settings::probes(method, meta) as f64);
        let entries = rows * (probes / lists).min(1.0);
        let geometry = &meta.geometry;
        let dims = geometry.dims as f64;
        let of_block = geometry.block_size() as f64 / kernels::BLOCK as f64;
        let of_vector = geometry.vector_size() as f64;
        let (read, bytes, each) = if geometry.coded() {
            let root = lists * of_block + probes * of_vector;
            (VECTORS_READ.min(entries), root + entries * of_block, dims / CODED_DIMS_PER_OPERATOR)
        } else {
            (0.0, (lists + entries) * (of_block + of_vector), dims / DIMS_PER_OPERATOR)
        };
        Work {
            // A list begins in the midst of a page.
            pages: (bytes / PAGE_BODY as f64 + read + probes.min(lists)).min(pages),
            entries,
            operators: (lists + entries) * each + read * dims / DIMS_PER_OPERATOR,
        }
    }
}

/// The method and the metapage of an index that exists and can be read.
fn meta_of(index: &IndexOptInfo) -> Option<(Method, Meta)> {
    if index.hypothetical {
        return None;
    }
    let opened = Opened::open(index.indexoid);
    // SAFETY: the index is open as long as the store lives; PostgreSQL asks about ours only.
    let (store, method) = unsafe { (RelationStore::new(opened.get()), Method::of(opened.get())) };
    let page = store.read(META_BLOCK).ok()?;
    Some((method, Meta::decode(&page).ok()?))
}

/// Estimates the cost of a scan.
#[pg_guard]
#[expect(clippy::too_many_arguments, reason = "PostgreSQL's signature")]
pub unsafe extern "C-unwind" fn amcostestimate(
    root: *mut PlannerInfo,
    path: *mut IndexPath,
    loop_count: f64,
    startup: *mut Cost,
    total: *mut Cost,
    selectivity: *mut Selectivity,
    correlation: *mut f64,
    index_pages: *mut f64,
) {
    // SAFETY: PostgreSQL gives valid pointers; settings are read on the backend's own thread.
    unsafe {
        *correlation = 0.0;
        if (*path).indexorderbys.is_null() && (*path).indexclauses.is_null() {
            // The index gives rows by their distance or not at all.
            (*startup, *total) = (f64::INFINITY, f64::INFINITY);
            (*selectivity, *index_pages) = (0.0, 0.0);
            version::disable(path);
            return;
        }
        let index = &*(*path).indexinfo;
        let mut generic = pg_sys::GenericCosts::default();
        pg_sys::genericcostestimate(root, path, loop_count, &raw mut generic);
        let mut page_costs = (pg_sys::random_page_cost, pg_sys::seq_page_cost);
        let (random, sequential) = (&raw mut page_costs.0, &raw mut page_costs.1);
        pg_sys::get_tablespace_page_costs(index.reltablespace, random, sequential);
        let cache = f64::from(pg_sys::effective_cache_size);
        let pages = f64::from(index.pages);
        let work = meta_of(index).map_or(
            Work { pages, entries: index.tuples, operators: index.tuples },
            |(method, meta)| Work::of(method, &meta, pages, index.tuples),
        );
        *startup = work.pages * page_cost(pages, cache, page_costs)
            + work.entries * pg_sys::cpu_index_tuple_cost / 8.0
            + work.operators * pg_sys::cpu_operator_cost;
        *total = *startup + work.entries * order_cost(root, (*path).indexorderbys);
        *selectivity = generic.indexSelectivity;
        *index_pages = work.pages;
    }
}
