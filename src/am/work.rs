//! What a scan of an index does, in figures.

use std::ffi::CStr;
use std::time::Duration;

use pgrx::pg_sys::Oid;

/// A figure that searches of some access methods have.
#[derive(Debug)]
pub struct Figure {
    /// Its name: a column of `vector_scan_stats`.
    pub name: &'static str,
    /// How `EXPLAIN (ANALYZE)` names it, if that shows it.
    pub label: Option<&'static CStr>,
    /// Whether it grows with the search, and so is the sum over several.
    pub grows: bool,
}

/// Most figures that an access method has of its own.
const MOST_FIGURES: usize = 3;

/// What a search did so far.
#[derive(Debug, Clone, Copy)]
pub struct Work {
    /// Figures that only searches of its access method have.
    pub figures: &'static [Figure],
    /// Their values.
    pub values: [u64; MOST_FIGURES],
    /// Whether vectors are compared, so that the two that follow mean something.
    pub compares_vectors: bool,
    /// Distances estimated from codes.
    pub scored: u64,
    /// Distances computed from whole vectors.
    pub exact: u64,
    /// Rows returned.
    pub tuples: u64,
}

impl Work {
    /// Of an access method that only counts the rows it returns.
    pub const fn of_rows(tuples: u64) -> Self {
        let values = [0; MOST_FIGURES];
        Self { figures: &[], values, compares_vectors: false, scored: 0, exact: 0, tuples }
    }

    /// The figures of the access method, and their values.
    pub fn own(&self) -> impl Iterator<Item = (&'static Figure, u64)> {
        self.figures.iter().zip(self.values)
    }

    /// The value of a figure of the access method, if it has that.
    pub fn value(&self, name: &str) -> Option<u64> {
        self.own().find(|(figure, _)| figure.name == name).map(|(_, value)| value)
    }

    /// Adds what an earlier search of the same index did.
    fn add(&mut self, earlier: &Work) {
        for ((value, before), figure) in
            self.values.iter_mut().zip(earlier.values).zip(self.figures)
        {
            *value += if figure.grows { before } else { 0 };
        }
        self.scored += earlier.scored;
        self.exact += earlier.exact;
        self.tuples += earlier.tuples;
    }
}

/// How a node of our own finds rows that pass its conditions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// The rows that the index finds are tested.
    Look,
    /// The index finds only rows that other indexes have found.
    Inline,
    /// The distances of all rows that may pass are computed.
    Exact,
}

impl Strategy {
    /// Its name.
    pub const fn name(self) -> &'static CStr {
        match self {
            Self::Look => c"look",
            Self::Inline => c"inline",
            Self::Exact => c"exact",
        }
    }
}

/// What a node of our own did about its conditions.
#[derive(Debug, Clone, Copy)]
pub struct Filtered {
    /// What it does now.
    pub strategy: Strategy,
    /// Rows that the index has found.
    pub looked: u64,
    /// Those that passed.
    pub passed: u64,
    /// Rows that other indexes have found, if they were asked.
    pub members: Option<u64>,
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
    /// What was done about conditions, if there are any: by the last scan.
    pub filtered: Option<Filtered>,
}

impl ScanFigures {
    /// Of a node that has not searched the index.
    pub fn unsearched(index: Oid, filtered: Filtered) -> Self {
        let values = [0; MOST_FIGURES];
        let work =
            Work { figures: &[], values, compares_vectors: true, scored: 0, exact: 0, tuples: 0 };
        let filtered = Some(filtered);
        Self { index, work, late: 0, pages: 0, time: Duration::ZERO, filtered }
    }

    /// Adds an earlier scan of the same index.
    pub fn after(mut self, earlier: &ScanFigures) -> ScanFigures {
        self.work.add(&earlier.work);
        self.late += earlier.late;
        self.pages += earlier.pages;
        self.time += earlier.time;
        self
    }
}
