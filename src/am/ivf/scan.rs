//! `ORDER BY column <operator> query`, by a search of the nearest lists.

use ivf::{Ivf, Scan, ScanOptions};
use pages::{Hit, TidFilter};
use quant::Metric;

use super::method::dense;
use crate::am::search::{Demand, Extent, Search, Searchable};
use crate::am::vector::Vector;
use crate::am::work::{Figure, Work};
use crate::pg::store::RelationStore;

/// What only searches of lists have: lists of the index; lists to be searched at first, as set when the
/// search began; lists searched.
const FIGURES: &[Figure] = &[
    Figure { name: "lists", label: Some(c"Lists"), grows: false },
    Figure { name: "probes", label: Some(c"Probes"), grows: false },
    Figure { name: "probed", label: Some(c"Lists Searched"), grows: true },
];

/// An index, with the settings of its method.
pub struct Lists {
    /// The index.
    pub ivf: Ivf,
    /// How it is searched.
    pub options: ScanOptions,
    /// Whether more lists are searched where a query is unlike the rows.
    pub reaching: bool,
}

impl Searchable for Lists {
    type Search = ListSearch;

    fn dims(&self) -> usize {
        self.ivf.meta().geometry.dims
    }

    fn metric(&self) -> Metric {
        self.ivf.metric()
    }

    /// All queries are dense, as there is no operator class for others.
    fn accept(&self, _query: Vector<'_>) -> pages::Result<()> {
        Ok(())
    }

    fn keeps_order(&self, extent: Extent) -> bool {
        extent == Extent::Ordered || extent == Extent::Settings && self.options.strict
    }

    fn search(self, query: Option<Vector<'_>>, extent: Extent, demand: Demand) -> ListSearch {
        let Self { ivf, mut options, reaching } = self;
        options.wanted = demand.wanted;
        let meta = ivf.meta();
        let (lists, coded) = (u64::from(meta.lists), meta.geometry.coded());
        let probes = options.probes as u64;
        if extent != Extent::Settings {
            options.max_probes = options.max_probes.max(ivf.meta().lists as usize);
            options.strict = extent == Extent::Ordered;
        }
        let parts = (extent == Extent::Unordered).then_some(0);
        let scan = Scan::new(ivf, query.map(dense), options).reaching(reaching);
        ListSearch { scan, lists, probes, coded, parts }
    }
}

/// A search, and what its figures mean.
pub struct ListSearch {
    scan: Scan,
    /// Lists of the index.
    lists: u64,
    /// Lists to be searched at first.
    probes: u64,
    /// Whether entries are scored by codes.
    coded: bool,
    /// Where further lists are searched as long as the last ones had rows that were near enough: rows
    /// found in the lists before those.
    parts: Option<u64>,
}

impl Search for ListSearch {
    fn next(&mut self, store: &RelationStore<'_>) -> pages::Result<Option<Hit>> {
        self.scan.next(store)
    }

    fn skip(&mut self) -> bool {
        let Some(before) = &mut self.parts else { return false };
        let found = self.scan.stats().tuples;
        // One is that which was too far.
        let near = found - *before > 1;
        *before = found;
        near && self.scan.skip_lists()
    }

    fn passed(&mut self, rows: usize) {
        self.scan.passed(rows);
    }

    fn keep_only(&mut self, filter: TidFilter) {
        self.scan.keep_only(filter);
    }

    fn work(&self) -> Work {
        let stats = self.scan.stats();
        Work {
            figures: FIGURES,
            values: [self.lists, self.probes, stats.lists],
            compares_vectors: true,
            scored: if self.coded { stats.entries } else { 0 },
            exact: stats.exact,
            tuples: stats.tuples,
        }
    }
}
