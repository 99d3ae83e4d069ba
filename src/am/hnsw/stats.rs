//! What scans do, in figures: `vector_scan_stats`.

use std::cell::Cell;
use std::time::Duration;

use graph::ScanStats;
use pgrx::pg_sys::Oid;

use crate::pg::function::pg_functions;
use crate::pg::rows::{Cell as Value, Rows};

/// The figures of one scan, or of several of one index.
#[derive(Debug, Clone, Copy)]
pub struct ScanFigures {
    /// The index.
    pub index: Oid,
    /// Width of the search as set when it began.
    pub ef: usize,
    /// Entries of the beam, which a scan that goes on widens.
    pub beam: usize,
    /// What the search did.
    pub work: ScanStats,
    /// Pages of the index read, again ones included.
    pub pages: u64,
    /// Time inside the index, and in the table where the index knows only bounds.
    pub time: Duration,
}

impl ScanFigures {
    /// Adds an earlier scan.
    pub fn after(mut self, earlier: &ScanFigures) -> ScanFigures {
        let (work, before) = (&mut self.work, &earlier.work);
        work.expanded += before.expanded;
        work.scored += before.scored;
        work.exact += before.exact;
        work.tuples += before.tuples;
        work.dropped += before.dropped;
        work.filtered += before.filtered;
        self.pages += earlier.pages;
        self.time += earlier.time;
        self
    }
}

thread_local! {
    /// The scan of this session that was asked for a row last.
    static LAST_SCAN: Cell<Option<ScanFigures>> = const { Cell::new(None) };
}

/// Remembers the figures of the scan that is running.
pub fn set_last_scan(figures: ScanFigures) {
    LAST_SCAN.set(Some(figures));
}

pg_functions! {
    /// What the last index scan of this session has done: one row, none before the first.
    fn vector_scan_stats() -> Rows<10> {
        let Some(last) = LAST_SCAN.get() else { return Rows(Vec::new()) };
        let ScanFigures { index, ef, beam, work, pages, time } = last;
        let ScanStats { expanded, scored, exact, tuples, dropped, filtered: _ } = work;
        let [expanded, scored, exact, tuples, dropped, pages] =
            [expanded, scored, exact, tuples, dropped, pages].map(Value::from);
        let [ef, beam] = [ef as u64, beam as u64].map(Value::from);
        let time = Value::Float(time.as_secs_f64() * 1e6);
        let index = Value::Oid(index);
        Rows(vec![[index, ef, beam, expanded, scored, exact, tuples, dropped, pages, time]])
    }
}
