//! `ORDER BY column <operator> query`, by a search of the graph.

#![allow(unsafe_code)] // called by PostgreSQL

use graph::{Hnsw, Iterative, Scan, ScanOptions, Vector};
use pages::Hit;
use pgrx::pg_guard;
use pgrx::pg_sys::{IndexScanDesc, Relation, ScanDirection};
use quant::Metric;

use super::settings;
use crate::am::scan;
use crate::am::search::{Extent, Search, Searchable};
use crate::am::work::{Way, Work};
use crate::pg::store::RelationStore;

/// Gives the next row; false after the last.
#[pg_guard]
pub unsafe extern "C-unwind" fn amgettuple(
    desc: IndexScanDesc,
    _direction: ScanDirection::Type,
) -> bool {
    // SAFETY: PostgreSQL gives a scan of an hnsw index, and uses it for nothing else now.
    unsafe { scan::next_row::<Hnsw>(desc) }
}

impl Searchable for Hnsw {
    type Search = Scan;

    unsafe fn open(_: Relation, store: &RelationStore<'_>) -> pages::Result<Self> {
        Hnsw::open(store)
    }

    fn dims(&self) -> usize {
        self.meta().geometry.dims
    }

    fn metric(&self) -> Metric {
        self.metric()
    }

    fn accept(&self, query: Vector<'_>) -> pages::Result<()> {
        self.accept(query)
    }

    fn search(self, query: Option<Vector<'_>>, extent: Extent) -> Scan {
        let options = settings::scan_options();
        let ordered = query.is_some_and(|query| graph::indexable(self.metric(), query));
        let wanted = match (extent, options.iterative) {
            (Extent::Settings, iterative) => iterative,
            (Extent::Ordered, Iterative::Off) => Iterative::Strict,
            (Extent::Ordered, iterative) => iterative,
            (Extent::Unordered, _) => Iterative::Relaxed,
        };
        let iterative = match wanted {
            Iterative::Off => Iterative::Off,
            Iterative::Strict if ordered => Iterative::Strict,
            // Where all rows are equally far, none comes too late.
            Iterative::Strict | Iterative::Relaxed => Iterative::Relaxed,
        };
        Scan::new(self, query, ScanOptions { iterative, ..options })
    }
}

impl Search for Scan {
    fn next(&mut self, store: &RelationStore<'_>) -> pages::Result<Option<Hit>> {
        self.next(store)
    }

    fn work(&self) -> Work {
        let stats = self.stats();
        let (ef, beam) = (self.options().ef as u64, self.beam_width() as u64);
        Work {
            way: Way::Graph { ef, beam, expanded: stats.expanded },
            scored: stats.scored,
            exact: stats.exact,
            tuples: stats.tuples,
            dropped: stats.dropped,
        }
    }
}
