//! `ORDER BY column <operator> query`: rows by their distance, one after another.

#![allow(unsafe_code)] // called by PostgreSQL

use ivf::{Ivf, Scan};
use pgrx::PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED;
use pgrx::pg_guard;
use pgrx::pg_sys::{self, IndexScanDesc, IndexScanDescData, Relation, ScanDirection, ScanKey};

use super::method::Method;
use super::settings;
use crate::am::hnsw::opclass::OpClass;
use crate::am::load::dense;
use crate::am::ordered_scan::{self, Distance, give, is_mvcc, look};
use crate::am::reorder::Reorder;
use crate::am::row_distance::RowDistance;
use crate::pg::error::Report;
use crate::pg::store::RelationStore;
use crate::pg::{relation, version};

/// What a scan keeps between calls.
#[derive(Default)]
struct ScanState {
    running: Option<Running>,
    /// Distances of rows of which the index knows only bounds, once one was met.
    row_distance: Option<RowDistance>,
}

/// A scan that has given its first row, or is about to.
struct Running {
    scan: Scan,
    /// Rows found that are not the next.
    reorder: Reorder,
    distance: Distance,
}

/// Begins a scan.
#[pg_guard]
pub unsafe extern "C-unwind" fn ambeginscan(
    index: Relation,
    nkeys: i32,
    norderbys: i32,
) -> IndexScanDesc {
    // SAFETY: PostgreSQL gives an open index.
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
    // SAFETY: PostgreSQL gives a scan of ours.
    unsafe {
        (*(*desc).opaque.cast::<ScanState>()).running = None;
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
    let index = desc.indexRelation;
    // SAFETY: the index is open during the scan.
    let store = unsafe { RelationStore::new(index) };
    // SAFETY: as above.
    let failed = |error| Report::of_index(&unsafe { relation::qualified_name(index) }, error);
    let Running { scan, reorder, distance } = match &mut state.running {
        Some(running) => running,
        none => {
            let ivf = Ivf::open(&store).map_err(failed)?;
            // SAFETY: the caller's promise.
            none.insert(unsafe { start(desc, ivf)? })
        }
    };
    let row = reorder.next(|| {
        pgrx::check_for_interrupts!();
        let hit = scan.next(&store).map_err(failed)?;
        // SAFETY: the caller's promise.
        Ok(hit.map(|hit| unsafe { look(desc, &mut state.row_distance, &hit) }))
    })?;
    if let Some(row) = row {
        // SAFETY: `ambeginscan` has made room for the order-by values.
        unsafe { give(desc, row, *distance) };
    }
    Ok(row.is_some())
}

/// Prepares the search.
///
/// # Safety
/// `desc` is a scan of ours.
unsafe fn start(desc: &mut IndexScanDescData, ivf: Ivf) -> Result<Running, Report> {
    let running = |scan, distance| Running { scan, reorder: Reorder::default(), distance };
    // SAFETY: the caller's promise.
    let method = unsafe { Method::of(desc.indexRelation) };
    // SAFETY: the index is open, keys are set, and an order-by argument that is not NULL is a
    // vector.
    unsafe {
        let Some(key) = desc.orderByData.as_ref().filter(|_| desc.numberOfOrderBys > 0) else {
            return Err(unsupported(format!("cannot scan {} index without order", method.name())));
        };
        if !is_mvcc(desc.xs_snapshot) {
            return Err(unsupported(format!(
                "non-MVCC snapshots are not supported with {}",
                method.name()
            )));
        }
        relation::count_scan(desc.indexRelation);
        version::count_search(desc);
        let options = settings::scan_options(method, ivf.meta());
        if key.sk_flags & pg_sys::SK_ISNULL as i32 != 0 {
            return Ok(running(Scan::new(ivf, None, options), Distance::Null));
        }
        let OpClass { kind, .. } = OpClass::of(desc.indexRelation)?;
        kind.look(key.sk_argument, |found, query| {
            let dims = ivf.meta().geometry.dims;
            if found != dims {
                return Err(kind.different_dims(dims, found));
            }
            let query = dense(query);
            let indexable = ivf::indexable(ivf.metric(), query);
            let distance = if indexable { Distance::Number } else { Distance::NotANumber };
            Ok(running(Scan::new(ivf, Some(query), options), distance))
        })?
    }
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
