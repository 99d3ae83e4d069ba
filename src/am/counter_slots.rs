//! Where counters of indexes are: a table in shared memory, with a slot for each index that was used,
//! until it is dropped.
//!
//! The table has a fixed size and no locks: an index takes the first free one of a few slots when it
//! is used first. Two sessions may take one each; then the index has the sum of both.

#![allow(unsafe_code)] // shared memory

use std::cell::Cell;
use std::ffi::c_void;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};
use std::{ptr, slice};

use pgrx::PgSqlErrorCode::ERRCODE_CONFIGURATION_LIMIT_EXCEEDED;
use pgrx::guc::{GucContext, GucFlags, GucRegistry, GucSetting};
use pgrx::pg_sys::{self, Oid};

use super::counters::Counters;
use crate::pg::drops::{self, Dropped, Watch};
use crate::pg::error::Report;
use crate::pg::shared::{self, Request};

/// Slots looked at for an index, and the smallest table.
const PROBES: usize = 64;
/// The largest table: 100 MB.
const MAX_SLOTS: i32 = 1 << 20;
/// Time between two searches for slots of indexes that are gone.
const PATIENCE: Duration = Duration::from_secs(1);

/// Key of a slot that is free.
const FREE: u64 = 0;
/// Key of a slot whose counters are being cleared.
const LEAVING: u64 = u64::MAX;

static SLOTS: GucSetting<i32> = GucSetting::<i32>::new(4096);
/// Where the table is; null where the library is not preloaded.
static TABLE: AtomicPtr<Header> = AtomicPtr::new(ptr::null_mut());
/// Slots of the table, as the setting was when the server started.
static SIZE: OnceLock<usize> = OnceLock::new();

thread_local! {
    /// When this session last searched for slots of indexes that are gone.
    static SEARCHED: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// What is before the slots.
#[repr(C, align(8))]
struct Header {
    /// Whether the log says that an index found no slot.
    told: AtomicBool,
}

/// The counters of an index.
#[repr(C)]
pub struct Slot {
    /// Database and index, [`FREE`] or [`LEAVING`].
    key: AtomicU64,
    /// What it has done.
    pub counters: Counters,
}

/// Asks for the table, and watches for indexes that are dropped. Called when the library is loaded;
/// does nothing where it is not preloaded.
pub fn register() {
    // SAFETY: set before `_PG_init` runs, by the process that we are in.
    if !unsafe { pg_sys::process_shared_preload_libraries_in_progress } {
        return;
    }
    GucRegistry::define_int_guc(
        c"vector_ext.max_tracked_indexes",
        c"Sets the number of indexes whose use pg_stat_vector_indexes counts.",
        c"Each takes about 100 bytes of shared memory.",
        &SLOTS,
        PROBES as i32,
        MAX_SLOTS,
        GucContext::Postmaster,
        GucFlags::empty(),
    );
    let slots = usize::try_from(SLOTS.get()).unwrap_or(PROBES);
    let size = size_of::<Header>() + SIZE.get_or_init(|| slots) * size_of::<Slot>();
    let ready = |memory: *mut c_void| TABLE.store(memory.cast(), Relaxed);
    shared::request(Request { name: c"vector_ext counters", size, ready });
    drops::watch(Watch { concerns: |dropped| slots_of(dropped).next().is_some(), gone: free_all });
}

fn header() -> Option<&'static Header> {
    // SAFETY: null or memory of this process's life, zeroed at first, which holds atomics only.
    unsafe { TABLE.load(Relaxed).as_ref() }
}

fn table() -> &'static [Slot] {
    let (header, Some(&size)) = (TABLE.load(Relaxed), SIZE.get()) else { return &[] };
    if header.is_null() {
        return &[];
    }
    // SAFETY: the memory has room for the slots behind the header, and is as there.
    unsafe { slice::from_raw_parts(header.add(1).cast::<Slot>(), size) }
}

/// The key of an index of this database.
pub fn key(index: Oid) -> u64 {
    // SAFETY: set when the session began.
    let database = unsafe { pg_sys::MyDatabaseId };
    u64::from(database.to_u32()) << 32 | u64::from(index.to_u32())
}

fn database_of(key: u64) -> Oid {
    Oid::from((key >> 32) as u32)
}

/// The slots that an index may have.
fn probes(key: u64) -> impl Iterator<Item = &'static Slot> {
    let table = table();
    // Fibonacci hashing: the upper bits of the product are the mixed ones.
    let first = (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as usize;
    (first..first + PROBES.min(table.len())).map(|at| &table[at % table.len()])
}

/// The slots that an index has.
pub fn slots(key: u64) -> impl Iterator<Item = &'static Slot> {
    probes(key).filter(move |slot| slot.is_of(key))
}

fn slots_of(dropped: Dropped) -> Box<dyn Iterator<Item = &'static Slot>> {
    match dropped {
        Dropped::Relation(oid) => Box::new(slots(key(oid))),
        Dropped::Database(oid) => {
            Box::new(table().iter().filter(move |slot| database_of(slot.key.load(Relaxed)) == oid))
        }
    }
}

fn free_all(dropped: Dropped) {
    slots_of(dropped).for_each(Slot::free);
}

/// The slot of an index that is used, from now on its own until it is dropped; none where there is no
/// room.
pub fn take(key: u64, index: impl Fn() -> String) -> Option<&'static Slot> {
    let header = header()?;
    let claim = || probes(key).find(|slot| slot.claim(key));
    let slot = slots(key).next().or_else(claim).or_else(|| {
        free_gone(key);
        claim()
    });
    if slot.is_none() && !header.told.swap(true, Relaxed) {
        Report::new(
            ERRCODE_CONFIGURATION_LIMIT_EXCEEDED,
            format!("use of index {} is not counted", index()),
        )
        .detail("There is no room for the counters of this and of further indexes.")
        .hint("Increase vector_ext.max_tracked_indexes and restart the server.")
        .log();
    }
    slot
}

/// Frees those of the slots that an index may have whose indexes are gone without a word: dropped on
/// the primary of this standby, or by `COMMIT PREPARED`.
fn free_gone(key: u64) {
    let now = Instant::now();
    if SEARCHED.get().is_some_and(|last| now - last < PATIENCE) {
        return;
    }
    SEARCHED.set(Some(now));
    probes(key).filter(|slot| slot.is_gone()).for_each(Slot::free);
}

impl Slot {
    /// Whether it belongs to an index.
    pub fn is_of(&self, key: u64) -> bool {
        self.key.load(Relaxed) == key
    }

    fn claim(&self, key: u64) -> bool {
        self.key.compare_exchange(FREE, key, Relaxed, Relaxed).is_ok()
    }

    /// Gives it back. Only one of several sessions does.
    fn free(&self) {
        let key = self.key.load(Relaxed);
        if [FREE, LEAVING].contains(&key) {
            return;
        }
        if self.key.compare_exchange(key, LEAVING, Relaxed, Relaxed).is_ok() {
            self.counters.clear();
            self.key.store(FREE, Relaxed);
        }
    }

    /// Whether its index, or that index's database, does not exist.
    fn is_gone(&self) -> bool {
        let key = self.key.load(Relaxed);
        if [FREE, LEAVING].contains(&key) {
            return false;
        }
        let (database, index) = (database_of(key), Oid::from(key as u32));
        // SAFETY: look-ups in the catalog, inside of a statement.
        unsafe {
            if database == pg_sys::MyDatabaseId {
                pg_sys::get_rel_relkind(index) as u8 != pg_sys::RELKIND_INDEX
            } else {
                pg_sys::get_database_name(database).is_null()
            }
        }
    }
}
