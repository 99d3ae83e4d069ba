//! What each index has done since it was used first or the server started, summed over all sessions:
//! the columns of `pg_stat_vector_indexes` that PostgreSQL itself does not count.

#![allow(unsafe_code)] // fields of relations

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use pgrx::pg_sys::{self, Oid, Relation};

use super::counter_slots::{self as slots, Slot};
use super::work::{Filtered, ScanFigures, Strategy};
use crate::pg::function::pg_functions;
use crate::pg::relation;
use crate::pg::rows::{Cell, Rows};

/// The counters of one index.
#[repr(C)]
pub struct Counters {
    expanded: AtomicU64,
    probed: AtomicU64,
    scored: AtomicU64,
    exact: AtomicU64,
    tuples: AtomicU64,
    late: AtomicU64,
    pages: AtomicU64,
    nanoseconds: AtomicU64,
    filtered_look: AtomicU64,
    filtered_inline: AtomicU64,
    filtered_exact: AtomicU64,
    inserts: AtomicU64,
    vacuums: AtomicU64,
    removed: AtomicU64,
}

/// The place of this counter among the columns: milliseconds there.
const NANOSECONDS: usize = 7;

impl Counters {
    /// In the order of the columns.
    fn all(&self) -> [&AtomicU64; 14] {
        [
            &self.expanded,
            &self.probed,
            &self.scored,
            &self.exact,
            &self.tuples,
            &self.late,
            &self.pages,
            &self.nanoseconds,
            &self.filtered_look,
            &self.filtered_inline,
            &self.filtered_exact,
            &self.inserts,
            &self.vacuums,
            &self.removed,
        ]
    }

    /// Begins anew.
    pub fn clear(&self) {
        self.all().into_iter().for_each(|counter| counter.store(0, Relaxed));
    }
}

/// Where an index that is used is counted.
#[derive(Clone, Copy)]
pub struct Counted {
    slot: &'static Slot,
    key: u64,
}

/// Where an index of this database is counted; none where there is no room, or of a temporary one.
///
/// # Safety
/// `index` is open.
pub unsafe fn of(index: Relation) -> Option<Counted> {
    // SAFETY: fields of an open relation.
    let (oid, persistence) = unsafe { ((*index).rd_id, (*(*index).rd_rel).relpersistence) };
    if persistence as u8 == pg_sys::RELPERSISTENCE_TEMP {
        return None;
    }
    let key = slots::key(oid);
    // SAFETY: `index` is open.
    let slot = slots::take(key, || unsafe { relation::qualified_name(index) })?;
    Some(Counted { slot, key })
}

impl Counted {
    /// The counters, unless the index was dropped in the meantime.
    fn counters(&self) -> Option<&'static Counters> {
        self.slot.is_of(self.key).then_some(&self.slot.counters)
    }

    /// Adds a scan that has ended.
    pub fn add_scan(&self, figures: &ScanFigures) {
        let Some(counters) = self.counters() else { return };
        let work = &figures.work;
        for (counter, value) in [
            (&counters.expanded, work.value("expanded").unwrap_or(0)),
            (&counters.probed, work.value("probed").unwrap_or(0)),
            (&counters.scored, work.scored),
            (&counters.exact, work.exact),
            (&counters.tuples, work.tuples),
            (&counters.late, figures.late),
            (&counters.pages, figures.pages),
            (&counters.nanoseconds, figures.time.as_nanos() as u64),
        ] {
            counter.fetch_add(value, Relaxed);
        }
        let counter = match figures.filtered {
            Some(Filtered { strategy: Strategy::Look, .. }) => &counters.filtered_look,
            Some(Filtered { strategy: Strategy::Inline, .. }) => &counters.filtered_inline,
            Some(Filtered { strategy: Strategy::Exact, .. }) => &counters.filtered_exact,
            None => return,
        };
        counter.fetch_add(1, Relaxed);
    }

    /// Adds a row.
    pub fn add_insert(&self) {
        let Some(counters) = self.counters() else { return };
        counters.inserts.fetch_add(1, Relaxed);
    }

    /// Adds a vacuum that has removed rows.
    pub fn add_vacuum(&self, removed: u64) {
        let Some(counters) = self.counters() else { return };
        counters.vacuums.fetch_add(1, Relaxed);
        counters.removed.fetch_add(removed, Relaxed);
    }
}

pg_functions! {
    /// The counters of an index: one row, all NULL where it is not counted.
    fn vector_index_counters(index: Oid) -> Rows<14> {
        let mut sums: Option<[u64; 14]> = None;
        for slot in slots::slots(slots::key(index)) {
            let sums = sums.get_or_insert([0; 14]);
            for (sum, counter) in sums.iter_mut().zip(slot.counters.all()) {
                *sum = sum.saturating_add(counter.load(Relaxed));
            }
        }
        let Some(sums) = sums else { return Rows(vec![[const { Cell::Null }; 14]]) };
        let mut row = sums.map(Cell::from);
        row[NANOSECONDS] = Cell::Float(sums[NANOSECONDS] as f64 / 1e6);
        Rows(vec![row])
    }
}
