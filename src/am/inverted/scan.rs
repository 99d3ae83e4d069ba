//! `ORDER BY column <@> query` and `ORDER BY column <#> vector`: documents by their scores.

#![allow(unsafe_code)] // is promised open indexes

use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::Rc;

use inverted::{Query, Ranked, ScanOptions, Snapshot};
use pages::{Error, HeapTid, Hit, META_BLOCK, TidFilter};
use pgrx::PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED;
use pgrx::pg_sys::{self, IndexScanDescData, Relation};
use tidset::TidSet;

use super::bitmap;
use super::content::Content;
use super::method::Method;
use super::opened::OpenIndex;
use super::query::query_of;
use super::settings;
use crate::am::ordered_scan::Distance;
use crate::am::scan::{Begun, Request, Scan};
use crate::am::search::Search;
use crate::am::target::Target;
use crate::am::work::Work;
use crate::pg::bitmap::{RowBitmap, all_offsets};
use crate::pg::error::Report;
use crate::pg::relation;
use crate::pg::store::RelationStore;

/// Rows that a search looks for at first if it is not known how many are wanted.
const USUAL: usize = 100;
/// Rows that are looked for at most at first.
const MOST: usize = 10_000;

/// How far, of its size, a score of sparse vectors may be from what the operator gives: both sum up in double
/// precision, and the operator rounds to single.
const ROUNDING: f64 = 1e-4;

impl Scan for Method {
    unsafe fn begin(
        desc: &IndexScanDescData,
        store: &RelationStore<'_>,
        request: Option<Request>,
    ) -> Result<Begun, Report> {
        // SAFETY: the index is open, and keys are set.
        unsafe {
            let index = desc.indexRelation;
            let open = OpenIndex::of(index, store)?;
            let has_keys = desc.numberOfKeys > 0;
            let Some(order) = desc.orderByData.as_ref().filter(|_| desc.numberOfOrderBys > 0)
            else {
                let Some(key) = desc.keyData.as_ref().filter(|_| has_keys) else {
                    let message = "cannot scan inverted index without order or condition";
                    return Err(Report::new(ERRCODE_FEATURE_NOT_SUPPORTED, message));
                };
                let found = matching(desc, store, &open)?;
                let target = Target::unordered(key, found.recheck);
                let search = Box::new(Matches::new(found.rows));
                return Ok(Begun { search, target, distance: Distance::Null, keeps_order: false });
            };
            let range = request.and_then(|request| request.range);
            let found = if has_keys { Some(matching(desc, store, &open)?) } else { None };
            let recheck = found.as_ref().is_some_and(|found| found.recheck);
            let target = Target::ordered(order, range, recheck);
            let query = match target.query() {
                Some(argument) => query_of(index, &open, argument)?,
                None => None,
            };
            let distance = if query.is_some() { Distance::Number } else { Distance::Null };
            let wanted = match request.map_or(0, |request| request.wanted) {
                0 => USUAL,
                wanted => wanted.min(MOST),
            };
            let options = settings::scan_options(wanted);
            let mut search = Documents::new(index, open, query.unwrap_or_default(), options)
                .map_err(|error| Report::of_index(&relation::qualified_name(index), error))?;
            if let Some(found) = found {
                search.matching = Some(Rc::new(found.rows));
                search.set_filter();
            }
            Ok(Begun { search: Box::new(search), target, distance, keeps_order: true })
        }
    }
}

/// Rows that the keys of a scan find.
struct Found {
    rows: TidSet,
    /// Whether conditions have to be tested again.
    recheck: bool,
}

/// # Errors
/// As [`bitmap::find`].
///
/// # Safety
/// As [`bitmap::find`].
unsafe fn matching(
    desc: &IndexScanDescData,
    store: &RelationStore<'_>,
    open: &OpenIndex,
) -> Result<Found, Report> {
    let mut found = RowBitmap::new();
    // SAFETY: the caller's promise; the bitmap is ours.
    let (recheck, rows) = unsafe {
        let recheck = bitmap::find(desc, store, open, &mut found)?;
        (recheck, found.into_set()?)
    };
    let recheck = recheck || rows.unknown_blocks() > 0;
    Ok(Found { rows, recheck })
}

/// A search of an index.
struct Documents {
    /// Refers to `store`, and so comes before it.
    scan: inverted::Scan<'static, RelationStore<'static>>,
    store: Rc<RelationStore<'static>>,
    open: Rc<OpenIndex>,
    snapshot: Snapshot,
    query: Query,
    options: ScanOptions,
    /// Whether scores are what the operator computes.
    is_exact: bool,
    filter: Option<Filter>,
    /// Rows that fulfill the conditions of the scan, if it has any.
    matching: Option<Rc<TidSet>>,
    count: u64,
    /// Rows returned. Only on a standby, where an index may be reorganized under a search.
    returned: Option<HashSet<HeapTid>>,
}

/// A filter that outlives a search.
type Filter = Rc<RefCell<TidFilter>>;

impl Documents {
    /// # Safety
    /// `index` stays open as long as the search lives.
    unsafe fn new(
        index: Relation,
        open: Rc<OpenIndex>,
        query: Query,
        options: ScanOptions,
    ) -> pages::Result<Self> {
        // SAFETY: the index stays open. The store stays where it is and is dropped after the search.
        let (store, lasting) = unsafe {
            let store = Rc::new(RelationStore::new(index));
            let lasting: &'static RelationStore<'static> = &*Rc::as_ptr(&store);
            (store, lasting)
        };
        let (snapshot, scan) = inverted::search(lasting, &open.heads, &query, options)?;
        // SAFETY: reads shared memory.
        let returned = unsafe { pg_sys::RecoveryInProgress() }.then(HashSet::new);
        let (filter, matching, count) = (None, None, 0);
        Ok(Self {
            scan,
            store,
            is_exact: open.content != Content::Sparse,
            open,
            snapshot,
            query,
            options,
            filter,
            matching,
            count,
            returned,
        })
    }

    /// Begins anew, and leaves out what was returned: on a standby, pages may have been used again.
    fn begin_anew(&mut self) -> pages::Result<()> {
        // SAFETY: the store stays where it is and is dropped after the search.
        let lasting: &'static RelationStore<'static> = unsafe { &*Rc::as_ptr(&self.store) };
        let heads = &self.open.heads;
        (self.snapshot, self.scan) = inverted::search(lasting, heads, &self.query, self.options)?;
        self.set_filter();
        Ok(())
    }

    /// Has the search leave out rows that are not wanted.
    fn set_filter(&mut self) {
        let (filter, matching) = (self.filter.clone(), self.matching.clone());
        if filter.is_some() || matching.is_some() {
            self.scan.keep_only(Box::new(move |tid| {
                matching.as_ref().is_none_or(|rows| rows.contains(tid))
                    && filter.as_ref().is_none_or(|filter| (filter.borrow_mut())(tid))
            }));
        }
    }

    fn find(&mut self) -> pages::Result<Option<Ranked>> {
        loop {
            let found = match self.scan.next() {
                Err(error)
                    if self.returned.is_some()
                        && !error.ends_work()
                        && self.snapshot.is_outdated(&*self.store)? =>
                {
                    self.begin_anew()?;
                    continue;
                }
                found => found?,
            };
            let (Some(Ranked { tid, .. }), Some(returned)) = (&found, &mut self.returned) else {
                return Ok(found);
            };
            if !returned.contains(tid) {
                returned.try_reserve(1).map_err(|_| Error::OutOfMemory)?;
                returned.insert(*tid);
                return Ok(found);
            }
        }
    }
}

impl Search for Documents {
    fn next(&mut self, store: &RelationStore<'_>) -> pages::Result<Option<Hit>> {
        let before = self.store.reads();
        // A score of 0 says what no score says: that the row is not found.
        let found = loop {
            match self.find()? {
                Some(Ranked { score: 0.0, .. }) => {}
                found => break found,
            }
        };
        store.add_reads(self.store.reads() - before);
        self.count += u64::from(found.is_some());
        Ok(found.map(|Ranked { score, tid }| {
            let slack = if self.is_exact { 0.0 } else { ROUNDING * score.abs() };
            Hit { tid, block: META_BLOCK, distance: -score - slack, exact: self.is_exact }
        }))
    }

    fn passed(&mut self, _: usize) {}

    fn keep_only(&mut self, filter: TidFilter) {
        self.filter = Some(Rc::new(RefCell::new(filter)));
        self.set_filter();
    }

    fn work(&self) -> Work {
        Work::of_rows(self.count)
    }
}

/// Rows that fulfill conditions, without an order.
struct Matches {
    rows: TidSet,
    /// The place of the block after that of the rows that are next, their block and line pointers.
    place: usize,
    block: u32,
    next: std::vec::IntoIter<u16>,
    count: u64,
    filter: Option<TidFilter>,
}

impl Matches {
    fn new(rows: TidSet) -> Self {
        Self { rows, place: 0, block: 0, next: Vec::new().into_iter(), count: 0, filter: None }
    }

    fn row(&mut self) -> pages::Result<Option<HeapTid>> {
        loop {
            if let Some(offset) = self.next.next() {
                return Ok(Some(HeapTid { block: self.block, offset }));
            }
            let Some((block, offsets)) = self.rows.block(self.place) else { return Ok(None) };
            let offsets = match offsets {
                Some(offsets) => memory::collected(offsets)?,
                // Any may be that of a row that matches.
                None => memory::collected(all_offsets())?,
            };
            (self.block, self.next) = (block, offsets.into_iter());
            self.place += 1;
        }
    }
}

impl Search for Matches {
    fn next(&mut self, _: &RelationStore<'_>) -> pages::Result<Option<Hit>> {
        let row = loop {
            let row = self.row()?;
            if row.zip(self.filter.as_mut()).is_none_or(|(row, passes)| passes(row)) {
                break row;
            }
        };
        self.count += u64::from(row.is_some());
        Ok(row.map(|tid| Hit { tid, block: META_BLOCK, distance: 0.0, exact: true }))
    }

    fn passed(&mut self, _: usize) {}

    fn keep_only(&mut self, filter: TidFilter) {
        self.filter = Some(filter);
    }

    fn work(&self) -> Work {
        Work::of_rows(self.count)
    }
}
