//! What each index has done since the server started, summed over all sessions: the columns of
//! `pg_stat_vector_indexes` that PostgreSQL itself does not count.
//!
//! A table of fixed size in shared memory, without locks: a slot belongs to the index that first
//! took it, for good. When all are taken, further indexes are not counted.

#![allow(unsafe_code)] // shared memory

use std::ffi::c_void;
use std::ptr;
use std::slice;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering::Relaxed};

use pgrx::pg_sys::{self, Oid, Relation};

use super::work::{ScanFigures, Way};
use crate::pg::function::pg_functions;
use crate::pg::rows::{Cell, Rows};
use crate::pg::shared::{self, Request};

/// Indexes that have room: 400 kB.
const SLOTS: usize = 4096;
/// Slots looked at for an index.
const PROBES: usize = 64;

/// The counters of one index.
#[repr(C)]
#[derive(Default)]
pub struct Counters {
    /// Database and index; 0 where the slot is free.
    key: AtomicU64,
    expanded: AtomicU64,
    probed: AtomicU64,
    scored: AtomicU64,
    exact: AtomicU64,
    tuples: AtomicU64,
    dropped: AtomicU64,
    pages: AtomicU64,
    nanoseconds: AtomicU64,
    inserts: AtomicU64,
    vacuums: AtomicU64,
    removed: AtomicU64,
}

/// Where the table is; null where the library is not preloaded.
static TABLE: AtomicPtr<Counters> = AtomicPtr::new(ptr::null_mut());

/// Asks for the table. Called when the library is loaded.
pub fn register() {
    let ready = |memory: *mut c_void| TABLE.store(memory.cast(), Relaxed);
    let size = SLOTS * size_of::<Counters>();
    shared::request(Request { name: c"vector_ext counters", size, ready });
}

fn table() -> Option<&'static [Counters]> {
    let table = TABLE.load(Relaxed);
    // SAFETY: the memory has room for the slots, was zeroed, holds atomics only, and stays where it
    // is as long as this process lives.
    (!table.is_null()).then(|| unsafe { slice::from_raw_parts(table, SLOTS) })
}

/// The counters of an index of this database, from now on its own.
///
/// # Safety
/// `index` is open.
pub unsafe fn of(index: Relation) -> Option<&'static Counters> {
    let table = table()?;
    // SAFETY: fields of an open relation.
    let (oid, persistence) = unsafe { ((*index).rd_id, (*(*index).rd_rel).relpersistence) };
    if persistence as u8 == pg_sys::RELPERSISTENCE_TEMP {
        return None;
    }
    let key = key(oid);
    probes(table, key).find(|slot| {
        let before = slot.key.compare_exchange(0, key, Relaxed, Relaxed);
        before.is_ok() || before == Err(key)
    })
}

fn key(index: Oid) -> u64 {
    // SAFETY: set when the session began.
    let database = unsafe { pg_sys::MyDatabaseId };
    u64::from(database.to_u32()) << 32 | u64::from(index.to_u32())
}

fn probes(table: &'static [Counters], key: u64) -> impl Iterator<Item = &'static Counters> {
    // Fibonacci hashing: the upper bits of the product are the mixed ones.
    let first = (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as usize;
    (first..first + PROBES).map(|at| &table[at % table.len()])
}

impl Counters {
    /// Adds a scan that has ended.
    pub fn add_scan(&self, figures: &ScanFigures) {
        let work = &figures.work;
        let found = match work.way {
            Way::Graph { expanded, .. } => (&self.expanded, expanded),
            Way::Lists { probed, .. } => (&self.probed, probed),
        };
        for (counter, value) in [
            found,
            (&self.scored, work.scored),
            (&self.exact, work.exact),
            (&self.tuples, work.tuples),
            (&self.dropped, work.dropped),
            (&self.pages, figures.pages),
            (&self.nanoseconds, figures.time.as_nanos() as u64),
        ] {
            counter.fetch_add(value, Relaxed);
        }
    }

    /// Adds a row.
    pub fn add_insert(&self) {
        self.inserts.fetch_add(1, Relaxed);
    }

    /// Adds a vacuum that has removed rows.
    pub fn add_vacuum(&self, removed: u64) {
        self.vacuums.fetch_add(1, Relaxed);
        self.removed.fetch_add(removed, Relaxed);
    }
}

pg_functions! {
    /// The counters of an index: one row, all NULL where nothing counts.
    fn vector_index_counters(index: Oid) -> Rows<11> {
        let Some(table) = table() else { return Rows(vec![[const { Cell::Null }; 11]]) };
        let (key, zero) = (key(index), Counters::default());
        let found = probes(table, key).find(|slot| slot.key.load(Relaxed) == key);
        let c = found.unwrap_or(&zero);
        let count = |counter: &AtomicU64| Cell::from(counter.load(Relaxed));
        Rows(vec![[
            count(&c.expanded),
            count(&c.probed),
            count(&c.scored),
            count(&c.exact),
            count(&c.tuples),
            count(&c.dropped),
            count(&c.pages),
            Cell::Float(c.nanoseconds.load(Relaxed) as f64 / 1e6),
            count(&c.inserts),
            count(&c.vacuums),
            count(&c.removed),
        ]])
    }
}
