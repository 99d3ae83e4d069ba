//! What a scan of an index does, in figures.

use std::time::Duration;

use pgrx::pg_sys::Oid;

/// What a search did so far.
#[derive(Debug, Clone, Copy)]
pub struct Work {
    /// What only searches of its kind do.
    pub way: Way,
    /// Distances estimated from codes.
    pub scored: u64,
    /// Distances computed from whole vectors.
    pub exact: u64,
    /// Rows returned.
    pub tuples: u64,
}

/// How rows are found.
#[derive(Debug, Clone, Copy)]
pub enum Way {
    /// Along the edges of a graph.
    Graph {
        /// Width of the search as set when it began.
        ef: u64,
        /// Entries of the beam, which a scan that goes on widens.
        beam: u64,
        /// Elements whose records were read and whose neighbors were followed.
        expanded: u64,
    },
    /// In the nearest of many lists.
    Lists {
        /// Lists of the index.
        lists: u64,
        /// Lists to be searched at first, as set when the search began.
        probes: u64,
        /// Lists searched.
        probed: u64,
    },
}

/// The figures of one scan, or of several of one index.
#[derive(Debug, Clone, Copy)]
pub struct ScanFigures {
    /// The index.
    pub index: Oid,
    /// What the search did.
    pub work: Work,
    /// Rows found too late to keep the order, which come after all others.
    pub late: u64,
    /// Pages of the index read, again ones included.
    pub pages: u64,
    /// Time inside the index, and in the table where the index knows only bounds.
    pub time: Duration,
}

impl Way {
    /// The figure that grows with the search: elements expanded, or lists searched.
    fn count(&mut self) -> &mut u64 {
        match self {
            Way::Graph { expanded, .. } => expanded,
            Way::Lists { probed, .. } => probed,
        }
    }
}

impl ScanFigures {
    /// Adds an earlier scan of the same index.
    pub fn after(mut self, earlier: &ScanFigures) -> ScanFigures {
        let (work, mut before) = (&mut self.work, earlier.work);
        *work.way.count() += *before.way.count();
        work.scored += before.scored;
        work.exact += before.exact;
        work.tuples += before.tuples;
        self.late += earlier.late;
        self.pages += earlier.pages;
        self.time += earlier.time;
        self
    }
}
