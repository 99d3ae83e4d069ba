//! What a scan costs, in the planner's units.
//!
//! A scan reads the list of lists, then the lists that its settings say, before it returns its
//! first row: all their pages, or where entries have codes, their blocks and some vectors. Its rows
//! come at once then.

use ivf::Meta;
use pages::PAGE_BODY;

use super::method::Method;
use super::settings::Settings;
use super::variant::Variant;
use crate::am::cost::{Estimate, Facts, Rows, ScanCost, Walk};

/// Dimensions of a distance, and of a code, that take as long as a simple operator.
const DIMS_PER_OPERATOR: f64 = 128.0;
const CODED_DIMS_PER_OPERATOR: f64 = 4_096.0;
/// A page by a page of the table; by time it is 1 to 2.
const PAGE_COST: f64 = 1.5;
/// Vectors that are read of lists with codes.
const VECTORS_READ: f64 = 100.0;
/// The same of a scan that tells how many rows are wanted: for each of these, and some more.
const VECTORS_OF_ROW: f64 = 4.0;
const VECTORS_AHEAD: f64 = 10.0;
/// Centroids that are read for each list searched, where codes do not tell which are nearest: each is on a
/// page of its own.
const CENTROIDS_READ: f64 = 2.0;
/// How many times as many lists a search reads that leaves out rows itself (measured where 0.5 to 10 % pass: 1.15
/// on sentences, 1.2 to 1.65 on a million clustered vectors).
const LISTS_AMONG: f64 = 1.4;

impl<V: Variant> Estimate for Method<V> {
    type Meta = Meta;

    fn decode(page: &[u8]) -> pages::Result<Meta> {
        Meta::decode(page)
    }

    fn estimate(meta: Option<&Meta>, facts: &Facts) -> ScanCost {
        let &Facts { pages, tuples, .. } = facts;
        let work = meta.map_or(Work { pages, entries: tuples, operators: tuples }, |meta| {
            Work::of(&V::settings(), meta, pages, tuples)
        });
        ScanCost {
            startup: work.pages * facts.page_cost
                + work.entries * facts.tuple_cost / 8.0
                + work.operators * facts.operator_cost,
            rows: work.entries,
            row: 0.0,
            pages: work.pages,
        }
    }

    fn walk(meta: Option<&Meta>, facts: &Facts, rows: Rows) -> Walk {
        let &Facts { pages, tuples, .. } = facts;
        let settings = V::settings();
        let work = meta.map_or(Work { pages, entries: tuples, operators: tuples }, |meta| {
            let among = if rows.returned < rows.found { LISTS_AMONG } else { 1.0 };
            let probes = settings.probes(meta) as f64 * ivf::wider(rows.found) * among;
            // Vectors of rows that are known not to pass are not read.
            let read = VECTORS_AHEAD + VECTORS_OF_ROW * rows.returned;
            Work::with((probes, read), meta, pages, tuples)
        });
        let cost = work.pages * facts.page_cost
            + work.entries * facts.tuple_cost / 8.0
            + work.operators * facts.operator_cost;
        Walk { cost, pages: work.pages, page_cost: PAGE_COST }
    }
}

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
    fn of(settings: &Settings, meta: &Meta, pages: f64, rows: f64) -> Work {
        Self::with((settings.probes(meta) as f64, VECTORS_READ), meta, pages, rows)
    }

    /// The same of a scan of so many lists, that reads so many vectors if lists have codes.
    fn with((probes, read): (f64, f64), meta: &Meta, pages: f64, rows: f64) -> Work {
        let lists = f64::from(meta.lists);
        let entries = rows * (probes / lists).min(1.0);
        let geometry = &meta.geometry;
        let dims = geometry.dims as f64;
        let of_block = geometry.block_size() as f64 / kernels::BLOCK as f64;
        let of_vector = geometry.vector_size() as f64;
        let (read, bytes, each) = if geometry.coded() {
            let centroids = (probes * CENTROIDS_READ).min(lists);
            let bytes = (lists + entries) * of_block;
            (read.min(entries) + centroids, bytes, dims / CODED_DIMS_PER_OPERATOR)
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
