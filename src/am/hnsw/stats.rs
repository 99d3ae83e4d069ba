//! What scans do, in figures: `vector_scan_stats`.

use std::cell::Cell;
use std::time::Duration;

use graph::ScanStats;

use crate::pg::function::pg_functions;
use crate::pg::rows::{Cell as Value, Rows};

/// The figures of one scan.
#[derive(Debug, Clone, Copy, Default)]
pub struct ScanFigures {
    /// Width of the search as set when it began.
    pub ef: usize,
    /// Entries of the beam, which a scan that goes on widens.
    pub beam: usize,
    /// What the search did.
    pub work: ScanStats,
    /// Pages of the index read, again ones included.
    pub pages: u64,
    /// Time inside the index.
    pub time: Duration,
}

thread_local! {
    /// The scan of this session that was asked for a row last.
    static LAST_SCAN: Cell<ScanFigures> = Cell::new(ScanFigures::default());
}

/// Remembers the figures of the scan that is running.
pub fn set_last_scan(figures: ScanFigures) {
    LAST_SCAN.set(figures);
}

pg_functions! {
    /// What the last index scan of this session has done: one row.
    fn vector_scan_stats() -> Rows<9> {
        let ScanFigures { ef, beam, work, pages, time } = LAST_SCAN.get();
        let ScanStats { expanded, scored, exact, tuples, dropped } = work;
        let [expanded, scored, exact, tuples, dropped, pages] =
            [expanded, scored, exact, tuples, dropped, pages].map(Value::from);
        let [ef, beam] = [ef as u64, beam as u64].map(Value::from);
        let time = Value::Float(time.as_secs_f64() * 1e6);
        Rows(vec![[ef, beam, expanded, scored, exact, tuples, dropped, pages, time]])
    }
}
