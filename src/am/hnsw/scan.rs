//! `ORDER BY column <operator> query`, by a search of the graph.

use graph::{Hnsw, Iterative, Scan, ScanOptions};
use pages::{Hit, TidFilter};
use quant::Metric;

use super::method::of_graph;
use super::settings;
use crate::am::search::{Demand, Extent, Search, Searchable};
use crate::am::vector::Vector;
use crate::am::work::{Figure, Work};
use crate::pg::store::RelationStore;

/// What only searches of a graph have: the width as set when the search began; entries of the beam,
/// which a scan that goes on widens; elements whose records were read and whose neighbors were
/// followed.
const FIGURES: &[Figure] = &[
    Figure { name: "ef", label: Some(c"Search Width"), grows: false },
    Figure { name: "beam", label: None, grows: false },
    Figure { name: "expanded", label: Some(c"Nodes Expanded"), grows: true },
];

/// About the memory that a search takes for each element that it is asked for.
const ELEMENT_BYTES: usize = 256;

impl Searchable for Hnsw {
    type Search = Scan;

    fn dims(&self) -> usize {
        self.meta().geometry.dims
    }

    fn metric(&self) -> Metric {
        self.metric()
    }

    fn accept(&self, query: Vector<'_>) -> pages::Result<()> {
        self.accept(of_graph(query))
    }

    fn keeps_order(&self, extent: Extent) -> bool {
        extent != Extent::Unordered && settings::keeps_order()
    }

    fn search(self, query: Option<Vector<'_>>, extent: Extent, demand: Demand) -> Scan {
        let options = settings::scan_options(self.meta().calibration.as_ref());
        let iterative = if extent == Extent::Settings { options.iterative } else { Iterative::On };
        let Demand { wanted, filtered } = demand;
        let wanted = wanted.min(options.memory / ELEMENT_BYTES);
        Scan::new(self, query.map(of_graph), ScanOptions { iterative, wanted, filtered, ..options })
    }
}

impl Search for Scan {
    fn next(&mut self, store: &RelationStore<'_>) -> pages::Result<Option<Hit>> {
        self.next(store)
    }

    fn passed(&mut self, rows: usize) {
        self.passed(rows);
    }

    fn ahead(&self) -> usize {
        self.ahead()
    }

    fn keep_only(&mut self, filter: TidFilter) {
        self.keep_only(filter);
    }

    fn work(&self) -> Work {
        let stats = self.stats();
        let (ef, beam) = (self.options().ef as u64, self.beam_width() as u64);
        Work {
            figures: FIGURES,
            values: [ef, beam, stats.expanded],
            compares_vectors: true,
            scored: stats.scored,
            exact: stats.exact,
            tuples: stats.tuples,
        }
    }
}
