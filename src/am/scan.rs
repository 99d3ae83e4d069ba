//! `ORDER BY column <operator> query`: rows by their distance, one after another; and
//! `WHERE column <operator> sphere`: those within a distance.
//!
//! An access method says how its index is searched ([`Scan`]); what a scan keeps between calls,
//! what it refuses and what it counts is here. Rows come in order, unless a node of our own
//! ([`planner`](crate::planner)) reads them: that puts them in order itself.

#![allow(unsafe_code)] // called by PostgreSQL

use std::time::{Duration, Instant};

use pages::{Hit, TidFilter};
use pgrx::PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED;
use pgrx::pg_guard;
use pgrx::pg_sys::{IndexScanDesc, IndexScanDescData, Oid, Relation, ScanDirection, ScanKey};

use super::counters::{self, Counted};
use super::inspector::Inspector;
use super::method::AccessMethod;
use super::ordered_scan::{self, Distance, give, is_mvcc, look};
use super::reorder::{Order, Reorder};
use super::row_distance::RowDistance;
use super::search::Search;
use super::stats;
use super::table_end::TableEnd;
use super::target::Target;
use super::work::{Filtered, ScanFigures};
use crate::pg::error::Report;
use crate::pg::memory::work_mem;
use crate::pg::store::RelationStore;
use crate::pg::{relation, tid, version};
use crate::types::sphere::Range;

/// What a node of our own asks of a scan, beyond its keys.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// Rows that are wanted at least; 0 where that is not known.
    pub wanted: usize,
    /// Whether rows are dropped: [`filtered`] tells how many are not.
    pub filtered: bool,
    /// Distances that are wanted.
    pub range: Option<Range>,
}

/// What a node of our own is told of a row.
#[derive(Clone, Copy, Debug)]
pub struct RowFound {
    /// The row, and its distance or a bound.
    pub hit: Hit,
    /// What the operator gives for every row.
    pub distance: Distance,
    /// Whether rows found late wait for all others.
    pub keeps_order: bool,
}

/// How an access method begins the search of a scan.
pub trait Scan: AccessMethod {
    /// Begins the search that the keys of a scan ask for.
    ///
    /// # Safety
    /// `desc` is a scan of an open index of this method, and has its keys; `store` holds the pages of
    /// the index.
    unsafe fn begin(
        desc: &IndexScanDescData,
        store: &RelationStore<'_>,
        request: Option<Request>,
    ) -> Result<Begun, Report>;
}

/// A search that has begun.
pub struct Begun {
    /// What finds the rows.
    pub search: Box<dyn Search>,
    /// What the scan looks for.
    pub target: Target,
    /// What the operator gives for every row.
    pub distance: Distance,
    /// Whether rows found late wait for all others.
    pub keeps_order: bool,
}

/// What a scan keeps between calls. Lives until the memory context of the scan goes, so also an
/// error frees it.
#[derive(Default)]
struct ScanState {
    running: Option<Running>,
    /// Scans that this node of a plan has ended, to begin anew.
    ended: Option<ScanFigures>,
    /// Distances of rows of which the index knows only bounds, once there is one.
    row_distance: Option<RowDistance>,
    /// What a node of our own asks.
    request: Option<Request>,
    /// The row that such a node was given.
    found: Option<RowFound>,
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
    counters: Option<Counted>,
    target: Target,
    search: Box<dyn Search>,
    /// Rows found that are not the next.
    reorder: Reorder<()>,
    distance: Distance,
    keeps_order: bool,
    table_end: TableEnd,
    /// Pages read so far.
    pages: u64,
    /// Time spent so far.
    time: Duration,
    /// What a node of our own has done about its conditions.
    filtered: Option<Filtered>,
}

impl Running {
    fn figures(&self) -> ScanFigures {
        let Self { index, pages, time, filtered, .. } = *self;
        let (work, late) = (self.search.work(), self.reorder.late());
        ScanFigures { index, work, late, pages, time, filtered }
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
pub unsafe extern "C-unwind" fn amgettuple<M: Scan>(
    desc: IndexScanDesc,
    _direction: ScanDirection::Type,
) -> bool {
    // SAFETY: PostgreSQL gives a scan of ours, and uses it for nothing else now.
    unsafe {
        let state = &mut *(*desc).opaque.cast::<ScanState>();
        next::<M>(&mut *desc, state).unwrap_or_else(|error| error.raise())
    }
}

/// # Safety
/// `desc` is a scan of an index of this method, and `state` its own.
unsafe fn next<M: Scan>(
    desc: &mut IndexScanDescData,
    state: &mut ScanState,
) -> Result<bool, Report> {
    let begin = Instant::now();
    let index = desc.indexRelation;
    // SAFETY: the index is open during the scan.
    let store = unsafe { RelationStore::new(index) };
    // SAFETY: as above.
    let failed = |error| Report::of_index(&unsafe { relation::qualified_name(index) }, error);
    let running = match &mut state.running {
        Some(running) => running,
        // SAFETY: `desc` is a scan of an index of this method, and has its keys.
        none => none.insert(unsafe { start::<M>(desc, state.request, &store)? }),
    };
    let Running { search, reorder, target, distance, keeps_order, table_end, .. } = running;
    let range = target.range;
    let table = desc.heapRelation;
    let mut find = || loop {
        pgrx::check_for_interrupts!();
        let Some(hit) = search.next(&store).map_err(failed)? else {
            return Ok::<_, Report>(None);
        };
        if range.is_some_and(|range| range.ends_before(hit.distance)) {
            if search.skip() {
                continue;
            }
            return Ok(None);
        }
        // SAFETY: the table is open during the scan.
        if !unsafe { table_end.is_behind(table, hit.tid.block) } {
            let what = "a row is beyond the end of the table";
            return Err(failed(pages::Error::corrupted(hit.block, what)));
        }
        return Ok(Some(hit));
    };
    let is_found = if state.request.is_some() {
        let (distance, keeps_order) = (*distance, *keeps_order);
        state.found = find()?.map(|hit| RowFound { hit, distance, keeps_order });
        if let Some(found) = &state.found {
            desc.xs_heaptid = tid::to_item_pointer(found.hit.tid);
        }
        state.found.is_some()
    } else {
        let row = loop {
            let row = reorder.next(|| {
                let Some(hit) = find()? else { return Ok(None) };
                // SAFETY: `row_distance` is of this scan, which looks for `order`.
                Ok(Some(unsafe { look(desc, &mut target.order, &mut state.row_distance, &hit) }))
            })?;
            match row {
                Some(row) if range.is_some_and(|range| !range.contains(row.distance)) => {}
                row => break row,
            }
        };
        if let Some(row) = row {
            // SAFETY: `ambeginscan` has made room for the order-by values.
            unsafe { give(desc, row, *distance, target.recheck) };
        }
        row.is_some()
    };
    running.pages += store.reads();
    running.time += begin.elapsed();
    stats::set_last_scan(running.figures());
    Ok(is_found)
}

/// # Safety
/// As [`next`]; `store` holds the pages of the index.
unsafe fn start<M: Scan>(
    desc: &mut IndexScanDescData,
    request: Option<Request>,
    store: &RelationStore<'_>,
) -> Result<Running, Report> {
    // SAFETY: the index is open, and keys are set.
    unsafe {
        let relation = desc.indexRelation;
        if !is_mvcc(desc.xs_snapshot) {
            let method = relation::access_method(relation);
            let message = format!("non-MVCC snapshots are not supported with {method}");
            return Err(unsupported(message));
        }
        let Begun { search, target, distance, keeps_order } = M::begin(desc, store, request)?;
        relation::count_scan(relation);
        version::count_search(desc);
        Ok(Running {
            index: (*relation).rd_id,
            counters: counters::of(relation),
            target,
            search,
            reorder: Reorder::new(order(keeps_order, 0, false)),
            distance,
            keeps_order,
            table_end: TableEnd::default(),
            pages: 0,
            time: Duration::ZERO,
            filtered: None,
        })
    }
}

/// How rows are put in order, within the memory that a node of a plan may take.
pub fn order(strict: bool, wanted: usize, eager: bool) -> Order {
    Order { strict, wanted, eager, room: work_mem() }
}

fn unsupported(message: String) -> Report {
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

/// Whether an index is of one of our access methods.
///
/// # Safety
/// `index` is an open relation.
pub unsafe fn is_ours(index: Relation) -> bool {
    // SAFETY: `index` is open.
    unsafe { Inspector::of(index) }.is_some()
}

/// Says what a node of our own asks, which is told of rows by [`row_found`] from now on.
///
/// # Safety
/// `desc` is a scan of one of our indexes, and has not given a row since it began anew.
pub unsafe fn request(desc: IndexScanDesc, request: Request) {
    // SAFETY: a scan of one of our indexes has our state.
    unsafe { (*(*desc).opaque.cast::<ScanState>()).request = Some(request) };
}

/// What a scan has done for the rows that it has given, and those to come.
#[derive(Clone, Copy, Debug, Default)]
pub struct Walked {
    /// Pages of the index that it has read.
    pub pages: u64,
    /// Rows that it can give without reading a further one.
    pub ahead: u64,
}

/// Tells a scan what became of the rows that it has given.
///
/// # Safety
/// `desc` is a scan of one of our indexes.
pub unsafe fn filtered(desc: IndexScanDesc, filtered: Filtered) -> Walked {
    // SAFETY: a scan of one of our indexes has our state.
    let running = unsafe { &mut (*(*desc).opaque.cast::<ScanState>()).running };
    let Some(running) = running else {
        // SAFETY: a scan has its index open.
        unsafe { add_unsearched((*desc).indexRelation, filtered) };
        return Walked::default();
    };
    running.search.passed(usize::try_from(filtered.passed).unwrap_or(usize::MAX));
    running.filtered = Some(filtered);
    stats::set_last_scan(running.figures());
    Walked { pages: running.pages, ahead: running.search.ahead() as u64 }
}

/// Counts a scan whose node found its rows without a search of the index.
///
/// # Safety
/// `index` is open.
unsafe fn add_unsearched(index: Relation, filtered: Filtered) {
    // SAFETY: `index` is open.
    let (oid, counters) = unsafe { ((*index).rd_id, counters::of(index)) };
    let figures = ScanFigures::unsearched(oid, filtered);
    stats::set_last_scan(figures);
    if let Some(counters) = counters {
        counters.add_scan(&figures);
    }
}

/// Lets a scan find only rows for which `filter` holds from now on.
///
/// # Safety
/// `desc` is a scan of one of our indexes.
pub unsafe fn keep_only(desc: IndexScanDesc, filter: TidFilter) {
    // SAFETY: a scan of one of our indexes has our state.
    if let Some(running) = unsafe { &mut (*(*desc).opaque.cast::<ScanState>()).running } {
        running.search.keep_only(filter);
    }
}

/// The row that a scan has given last.
///
/// # Safety
/// `desc` is a scan of one of our indexes.
pub unsafe fn row_found(desc: IndexScanDesc) -> Option<RowFound> {
    // SAFETY: as above.
    unsafe { (*(*desc).opaque.cast::<ScanState>()).found }
}

/// What the scans of a node of a plan have done; none where it has not been run, or is not ours.
///
/// # Safety
/// `desc` is a scan of an open index that has not ended.
pub unsafe fn figures(desc: IndexScanDesc) -> Option<ScanFigures> {
    // SAFETY: a scan that has not ended has its index open, and our state if the index is ours.
    unsafe {
        if is_ours((*desc).indexRelation) {
            (*(*desc).opaque.cast::<ScanState>()).figures()
        } else {
            None
        }
    }
}
