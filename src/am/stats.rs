//! What the last scan of a session did: `vector_scan_stats`.

use std::cell::Cell;

use super::work::{Filtered, ScanFigures, Work};
use crate::pg::function::pg_functions;
use crate::pg::rows::{Cell as Value, Rows};

thread_local! {
    /// The scan of this session that was asked for a row last.
    static LAST_SCAN: Cell<Option<ScanFigures>> = const { Cell::new(None) };
}

/// Remembers the figures of the scan that is running.
pub fn set_last_scan(figures: ScanFigures) {
    LAST_SCAN.set(Some(figures));
}

/// The figures of the scan of this session that was asked for a row last; none before the first.
pub fn last_scan() -> Option<ScanFigures> {
    LAST_SCAN.get()
}

pg_functions! {
    /// What the last index scan of this session has done: one row, none before the first. What
    /// indexes of its method do not have is NULL.
    fn vector_scan_stats() -> Rows<16> {
        let Some(ScanFigures { index, work, late, pages, time, filtered }) = last_scan() else {
            return Rows(Vec::new());
        };
        let Work { scored, exact, tuples, .. } = work;
        let [ef, beam, expanded, lists, probes, probed] =
            ["ef", "beam", "expanded", "lists", "probes", "probed"]
                .map(|name| work.value(name).map_or(Value::Null, Value::from));
        let [scored, exact, tuples, late, pages] =
            [scored, exact, tuples, late, pages].map(Value::from);
        let [strategy, looked, members] = match filtered {
            Some(Filtered { strategy, looked, members, .. }) => [
                Value::Text(strategy.name().to_string_lossy().into_owned()),
                Value::from(looked),
                members.map_or(Value::Null, Value::from),
            ],
            None => [const { Value::Null }; 3],
        };
        let (index, time) = (Value::Oid(index), Value::Float(time.as_secs_f64() * 1e6));
        Rows(vec![[
            index, ef, beam, expanded, lists, probes, probed, scored, exact, tuples, late,
            pages, time, strategy, looked, members,
        ]])
    }
}
