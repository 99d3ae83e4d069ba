//! Rows that may have a partner in a join: what an index finds for each key of the other relation.

#![allow(unsafe_code)] // runs a node of PostgreSQL's

use std::collections::HashSet;
use std::ffi::c_int;
use std::slice;

use ::memory::Grow;
use pgrx::pg_sys::{self, CustomScanState, Datum, Oid, PlanState};
use tidset::TidSet;

use super::keys::scan_key;
use crate::pg::error::Report;
use crate::pg::{bitmap, memory, version};

/// Where keys come from, and where they are looked up: all of it numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JoinKeys {
    /// The index.
    pub index: Oid,
    /// The operator that it compares its first column with keys by, and its collation.
    pub operator: (Oid, Oid),
    /// The column of the rows with the keys, numbered from 1.
    pub column: i32,
}

/// How many times as many keys and entries of the index are read as there may be keys. Keys that are equal
/// lead to the same rows, also those that differ in form: that could go on for as long as both together.
const ENTRIES: f64 = 4.0;

impl JoinKeys {
    /// Reads the keys that `source` gives, and looks them up. None if there are more than `most`, or they
    /// lead to far more entries of the index.
    ///
    /// # Errors
    /// That memory is used up.
    ///
    /// # Safety
    /// The node is being run; `source` is below it, and gives its first row next.
    pub unsafe fn rows(
        &self,
        node: &CustomScanState,
        source: *mut PlanState,
        most: f64,
    ) -> Result<Option<TidSet>, Report> {
        // SAFETY: the node is being run; a plan is made anew if its index was dropped. What nodes below
        // keep lives as long as the query, all else until the keys are known. After an error PostgreSQL
        // releases what is open.
        unsafe {
            let estate = &*node.ss.ps.state;
            let own = memory::new_context(estate.es_query_cxt, c"VectorScan join keys");
            let index = pg_sys::index_open(self.index, pg_sys::AccessShareLock as c_int);
            let (scan, found) = memory::within(own, || {
                let scan = version::begin_bitmap_scan(index, estate.es_snapshot, 1);
                (scan, version::new_bitmap())
            });
            let mut key =
                memory::within(own, || scan_key(index, self.operator, Some(Datum::null()), false));
            let mut seen = Seen::of_type(key.sk_subtype);
            let (mut count, mut entries) = (0.0, 0.0);
            let are_few =
                |count: f64, entries: f64| count <= most && count + entries <= ENTRIES * most;
            while are_few(count, entries) {
                pgrx::check_for_interrupts!();
                let row = memory::within(estate.es_query_cxt, || pg_sys::ExecProcNode(source));
                if row.is_null() || (*row).tts_flags & pg_sys::TTS_FLAG_EMPTY as u16 != 0 {
                    break;
                }
                count += 1.0;
                let mut is_null = false;
                key.sk_argument = pg_sys::slot_getattr(row, self.column, &raw mut is_null);
                // Equality, which is strict, holds for no NULL.
                if !is_null && seen.is_new(key.sk_argument)? {
                    entries += memory::within(own, || {
                        pg_sys::index_rescan(scan, &raw mut key, 1, std::ptr::null_mut(), 0);
                        pg_sys::index_getbitmap(scan, found) as f64
                    });
                }
            }
            let rows = if are_few(count, entries) { Some(bitmap::copy(found)?) } else { None };
            pg_sys::index_endscan(scan);
            pg_sys::index_close(index, pg_sys::NoLock as c_int);
            pg_sys::MemoryContextDelete(own);
            Ok(rows)
        }
    }
}

/// Keys that were looked up, as far as there is memory for them: to look one up again only takes time.
struct Seen {
    is_by_value: bool,
    len: i16,
    /// Bytes that are left of `work_mem`.
    room: usize,
    keys: HashSet<Vec<u8>>,
}

impl Seen {
    /// No key so far.
    fn of_type(kind: Oid) -> Self {
        let (mut len, mut is_by_value) = (0, false);
        // SAFETY: the type of an operand.
        unsafe { pg_sys::get_typlenbyval(kind, &raw mut len, &raw mut is_by_value) };
        Self { is_by_value, len, room: memory::work_mem(), keys: HashSet::new() }
    }

    /// Whether a key was not looked up, as far as that is known.
    ///
    /// # Errors
    /// That memory is used up.
    ///
    /// # Safety
    /// The key is of the type, and not NULL.
    unsafe fn is_new(&mut self, key: Datum) -> Result<bool, Report> {
        let value = key.value().to_ne_bytes();
        let at: *const u8 = key.cast_mut_ptr();
        // SAFETY: the key has as many bytes as its type says, or itself. What is stored elsewhere is
        // known by where that is.
        let bytes = unsafe {
            match (self.is_by_value, usize::try_from(self.len)) {
                (true, _) => &value[..],
                (false, Ok(len)) => slice::from_raw_parts(at, len),
                (false, Err(_)) if self.len == -1 => {
                    slice::from_raw_parts(at, pgrx::varsize_any(at.cast()))
                }
                (false, Err(_)) => return Ok(true),
            }
        };
        if self.keys.contains(bytes) {
            return Ok(false);
        }
        let size = 2 * size_of::<Vec<u8>>() + bytes.len();
        if let Some(room) = self.room.checked_sub(size) {
            self.room = room;
            self.keys.try_push(::memory::copied(bytes)?)?;
        }
        Ok(true)
    }
}
