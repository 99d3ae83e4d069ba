//! `ORDER BY column <operator> query`: rows by their distance, one after another.

#![allow(unsafe_code)] // called by PostgreSQL

use std::time::{Duration, Instant};

use graph::{Hnsw, Iterative, Scan, ScanOptions, Vector};
use pgrx::PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED;
use pgrx::pg_guard;
use pgrx::pg_sys::{self, IndexScanDesc, IndexScanDescData, Oid, Relation, ScanDirection, ScanKey};

use super::counters::{self, Counters};
use super::opclass::OpClass;
use super::settings;
use super::stats::{self, ScanFigures};
use crate::am::ordered_scan::{self, Distance, give, is_mvcc, look};
use crate::am::reorder::Reorder;
use crate::am::row_distance::RowDistance;
use crate::pg::error::Report;
use crate::pg::store::RelationStore;
use crate::pg::{relation, version};

/// What a scan keeps between calls. Lives until the memory context of the scan goes, so also an
/// error frees it.
#[derive(Default)]
struct ScanState {
    running: Option<Running>,
    /// Scans that this node of a plan has ended, to begin anew.
    ended: Option<ScanFigures>,
    /// Distances of rows of which the index knows only bounds, once one was met.
    row_distance: Option<RowDistance>,
}

impl ScanState {
    /// Ends the scan that is running, if one is.
    fn end(&mut self) {
        self.ended = self.figures();
        self.running = None;
    }

    /// What all scans have done.
    fn figures(&self) -> Option<ScanFigures> {
        let Some(running) = &self.running else { return self.ended };
        let now = running.figures();
        Some(self.ended.map_or(now, |ended| now.after(&ended)))
    }
}

/// A scan that has given its first row, or is about to.
struct Running {
    index: Oid,
    counters: Option<&'static Counters>,
    scan: Scan,
    /// Rows found that are not the next.
    reorder: Reorder,
    distance: Distance,
    /// Pages read so far.
    pages: u64,
    /// Time spent so far.
    time: Duration,
}

impl Running {
    /// # Safety
    /// `index` is open.
    unsafe fn new(index: Relation, scan: Scan, distance: Distance) -> Running {
        // SAFETY: the caller's promise.
        let (oid, counters) = unsafe { ((*index).rd_id, counters::of(index)) };
        let reorder = Reorder::default();
        Running { index: oid, counters, scan, reorder, distance, pages: 0, time: Duration::ZERO }
    }

    fn figures(&self) -> ScanFigures {
        ScanFigures {
            index: self.index,
            ef: self.scan.options().ef,
            beam: self.scan.beam_width(),
            work: self.scan.stats(),
            pages: self.pages,
            time: self.time,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(counters) = self.counters {
            counters.add_scan(&self.figures());
        }
    }
}

/// Begins a scan.
#[pg_guard]
pub unsafe extern "C-unwind" fn ambeginscan(
    index: Relation,
    nkeys: i32,
    norderbys: i32,
) -> IndexScanDesc {
    // SAFETY: PostgreSQL gives an open index; all is allocated in the context of the scan.
    unsafe { ordered_scan::begin::<ScanState>(index, nkeys, norderbys) }
}

/// Takes the query, and begins anew.
#[pg_guard]
pub unsafe extern "C-unwind" fn amrescan(
    desc: IndexScanDesc,
    keys: ScanKey,
    _nkeys: i32,
    orderbys: ScanKey,
    _norderbys: i32,
) {
    // SAFETY: PostgreSQL gives a scan of ours, and as many keys as it was begun with, or null.
    unsafe {
        (*(*desc).opaque.cast::<ScanState>()).end();
        ordered_scan::take_keys(desc, keys, orderbys);
    }
}

/// Gives the next row; false after the last.
#[pg_guard]
pub unsafe extern "C-unwind" fn amgettuple(
    desc: IndexScanDesc,
    _direction: ScanDirection::Type,
) -> bool {
    // SAFETY: PostgreSQL gives a scan of ours, whose index is open; nobody else uses either now.
    unsafe {
        let state = &mut *(*desc).opaque.cast::<ScanState>();
        next(&mut *desc, state).unwrap_or_else(|error| error.raise())
    }
}

/// # Safety
/// `desc` is a scan of ours.
unsafe fn next(desc: &mut IndexScanDescData, state: &mut ScanState) -> Result<bool, Report> {
    let begin = Instant::now();
    let index = desc.indexRelation;
    // SAFETY: the index is open during the scan.
    let store = unsafe { RelationStore::new(index) };
    // SAFETY: as above.
    let failed = |error| Report::of_index(&unsafe { relation::qualified_name(index) }, error);
    let running = match &mut state.running {
        Some(running) => running,
        none => {
            let hnsw = Hnsw::open(&store).map_err(failed)?;
            // SAFETY: the caller's promise.
            none.insert(unsafe { start(desc, hnsw)? })
        }
    };
    let Running { scan, reorder, .. } = running;
    let row = reorder.next(|| {
        pgrx::check_for_interrupts!();
        let hit = scan.next(&store).map_err(failed)?;
        // SAFETY: the caller's promise.
        Ok(hit.map(|hit| unsafe { look(desc, &mut state.row_distance, &hit) }))
    })?;
    running.pages += store.reads();
    if let Some(row) = row {
        // SAFETY: `ambeginscan` has made room for the order-by values.
        unsafe { give(desc, row, running.distance) };
    }
    running.time += begin.elapsed();
    stats::set_last_scan(running.figures());
    Ok(row.is_some())
}

/// Prepares the search.
///
/// # Safety
/// `desc` is a scan of ours.
unsafe fn start(desc: &mut IndexScanDescData, hnsw: Hnsw) -> Result<Running, Report> {
    // SAFETY: the index is open, keys are set, and an order-by argument that is not NULL is a
    // vector.
    unsafe {
        let Some(key) = desc.orderByData.as_ref().filter(|_| desc.numberOfOrderBys > 0) else {
            return Err(unsupported("cannot scan hnsw index without order"));
        };
        if !is_mvcc(desc.xs_snapshot) {
            return Err(unsupported("non-MVCC snapshots are not supported with hnsw"));
        }
        relation::count_scan(desc.indexRelation);
        version::count_search(desc);
        let options = settings::scan_options();
        // Where all rows are equally far, none comes too late.
        let unordered = ScanOptions {
            iterative: match options.iterative {
                Iterative::Off => Iterative::Off,
                Iterative::Relaxed | Iterative::Strict => Iterative::Relaxed,
            },
            ..options
        };
        if key.sk_flags & pg_sys::SK_ISNULL as i32 != 0 {
            let scan = Scan::new(hnsw, None::<Vector<'_>>, unordered);
            return Ok(Running::new(desc.indexRelation, scan, Distance::Null));
        }
        let OpClass { kind, .. } = OpClass::of(desc.indexRelation)?;
        let (scan, distance) = kind.look(key.sk_argument, |found, query| {
            let dims = hnsw.meta().geometry.dims;
            if found != dims {
                return Err(kind.different_dims(dims, found));
            }
            let name = || relation::qualified_name(desc.indexRelation);
            hnsw.accept(query).map_err(|error| Report::of_index(&name(), error))?;
            let (options, distance) = if graph::indexable(hnsw.metric(), query) {
                (options, Distance::Number)
            } else {
                (unordered, Distance::NotANumber)
            };
            Ok((Scan::new(hnsw, Some(query), options), distance))
        })??;
        Ok(Running::new(desc.indexRelation, scan, distance))
    }
}

fn unsupported(message: &str) -> Report {
    Report::new(ERRCODE_FEATURE_NOT_SUPPORTED, message)
}

/// Ends a scan: frees what it holds.
#[pg_guard]
pub unsafe extern "C-unwind" fn amendscan(desc: IndexScanDesc) {
    // SAFETY: PostgreSQL gives a scan of ours, and its table is still open. The state itself goes
    // with its memory context.
    unsafe {
        let state = &mut *(*desc).opaque.cast::<ScanState>();
        state.running = None;
        if let Some(distance) = state.row_distance.take() {
            distance.end();
        }
    }
}

/// What the scans of a node of a plan have done; none where it has not been run.
///
/// # Safety
/// `desc` is a scan of ours that has not ended.
#[cfg(feature = "pg18")]
pub unsafe fn figures(desc: IndexScanDesc) -> Option<ScanFigures> {
    // SAFETY: the caller's promise.
    unsafe { (*(*desc).opaque.cast::<ScanState>()).figures() }
}
