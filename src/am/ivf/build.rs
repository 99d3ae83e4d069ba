//! `CREATE INDEX` and `REINDEX`: the whole table at once.
//!
//! The rows are read by the backend; centroids are trained, rows assigned and pages made by
//! threads, while the backend's own thread looks for interrupts. What does not fit
//! `maintenance_work_mem` lies in a temporary file that is mapped into memory.

#![allow(unsafe_code)] // called by PostgreSQL

use std::ffi::c_char;
use std::ptr;

use ivf::{Bulk, Geometry, IndexOptions, Phase, Quantization};
use pages::Form;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::pg_sys::{ForkNumber, IndexBuildResult, IndexInfo, Relation};
use pgrx::{PgLogLevel, PgSqlErrorCode, function_name, pg_guard};
use space::Space;

use super::method::Method;
use super::options::Options;
use crate::am::build::{self, INITIALIZING};
use crate::am::element_kind::ElementKind;
use crate::am::load::{self, Column};
use crate::am::opclass::OpClass;
use crate::am::{column, resources};
use crate::pg::bulk::BulkWriter;
use crate::pg::error::Report;
use crate::pg::store::RelationStore;
use crate::pg::temp_file::TempFile;
use crate::pg::{progress, relation};

/// Phases of a build, in `pg_stat_progress_create_index`. PostgreSQL itself sets the first.
const LOADING: i64 = INITIALIZING + 1;
const TRAINING: i64 = INITIALIZING + 2;
const ASSIGNING: i64 = INITIALIZING + 3;
const WRITING: i64 = INITIALIZING + 4;
const CALIBRATING: i64 = INITIALIZING + 5;

/// Names a phase.
#[pg_guard]
pub unsafe extern "C-unwind" fn ambuildphasename(phase: i64) -> *mut c_char {
    let name = match phase {
        INITIALIZING => c"initializing",
        LOADING => c"loading tuples",
        TRAINING => c"performing k-means",
        ASSIGNING => c"assigning tuples",
        WRITING => c"writing pages",
        CALIBRATING => c"calibrating",
        _ => return ptr::null_mut(),
    };
    name.as_ptr().cast_mut()
}

/// Builds the index of a table.
#[pg_guard]
pub unsafe extern "C-unwind" fn ambuild(
    heap: Relation,
    index: Relation,
    info: *mut IndexInfo,
) -> *mut IndexBuildResult {
    // SAFETY: PostgreSQL gives an open table, and a new, empty index that nobody else sees.
    let built = unsafe { build(heap, index, info) };
    build::result(built.unwrap_or_else(|error| error.raise()))
}

/// Writes the empty index that an unlogged one becomes after a crash.
#[pg_guard]
pub unsafe extern "C-unwind" fn ambuildempty(index: Relation) {
    // SAFETY: PostgreSQL gives an open index whose initial fork is empty.
    unsafe {
        let (_, options) = index_options(index).unwrap_or_else(|error| error.raise());
        let failed = |error| Report::of_index(&relation::qualified_name(index), error);
        let mut writer = BulkWriter::new(index, ForkNumber::INIT_FORKNUM);
        Bulk::new(options, Space::unlimited())
            .and_then(|bulk| bulk.write(1, &mut |_, _, _| true, &mut |body| writer.append(body)))
            .map_err(failed)
            .unwrap_or_else(|error| error.raise());
        writer.finish();
    }
}

/// # Safety
/// As [`ambuild`].
unsafe fn build(
    heap: Relation,
    index: Relation,
    info: *mut IndexInfo,
) -> Result<(f64, usize), Report> {
    // SAFETY: the caller's promise, for all calls.
    unsafe {
        let (kind, options) = index_options(index)?;
        let failed = |error| Report::of_index(&relation::qualified_name(index), error);
        let mut temp_file = TempFile::default();
        let map_file = |bytes| Ok(temp_file.map(bytes).unwrap_or_else(|error| error.raise()));
        let space = Space::new(resources::maintenance_work_mem(), Box::new(map_file));
        let mut bulk = Bulk::new(options, space).map_err(failed)?;
        progress::begin_phase(LOADING, relation::estimated_rows(heap));
        let column = Column { kind, dims: options.dims, metric: options.metric };
        let heap_tuples = load::all_rows((heap, index, info), column, &mut bulk);
        let rows = bulk.len();
        let method = Method::of(index);
        if rows < options.lists {
            little_data(method);
        }
        let mut tick = build::watch(|phase| match phase {
            Phase::Training => TRAINING,
            Phase::Assigning => ASSIGNING,
            Phase::Pages => WRITING,
        });
        let workers = resources::workers(heap, rows);
        if workers > 0 {
            pgrx::debug1!("using {workers} parallel workers");
        }
        let mut writer = BulkWriter::new(index, ForkNumber::MAIN_FORKNUM);
        let mut append = |body: &[u8]| writer.append(body);
        bulk.write(1 + workers, &mut tick, &mut append).map_err(failed)?;
        writer.finish();
        if method == Method::Ivf {
            progress::begin_phase(CALIBRATING, 0);
            ivf::calibrate(&RelationStore::new(index), rows as u64).map_err(failed)?;
        }
        Ok((heap_tuples, rows))
    }
}

/// Warns, in pgvector's words, of lists that are single rows.
fn little_data(method: Method) {
    let message = format!("{} index created with little data", method.name());
    ErrorReport::new(PgSqlErrorCode::ERRCODE_SUCCESSFUL_COMPLETION, message, function_name!())
        .set_detail("This will cause low recall.")
        .set_hint("Drop the index until the table has more data.")
        .report(PgLogLevel::NOTICE);
}

/// What a new index is on, and is to be made with.
///
/// # Safety
/// `index` is open.
unsafe fn index_options(index: Relation) -> Result<(ElementKind, IndexOptions), Report> {
    // SAFETY: the caller's promise; the index has a column, number 1.
    let (OpClass { kind, metric }, column, method) =
        unsafe { (OpClass::of(index)?, relation::type_and_modifier(index, 1), Method::of(index)) };
    if kind == ElementKind::Sparse {
        let message = format!("type not supported for {} index", method.name());
        return Err(Report::new(PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED, message));
    }
    // SAFETY: the caller's promise.
    let Options { lists, quantization } = unsafe { Options::of(index) };
    if quantization == Quantization::Sq8 && metric.is_of_bits() {
        let message = "quantization \"sq8\" is not supported for bit strings";
        return Err(Report::new(PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED, message)
            .hint("Set quantization to \"none\"."));
    }
    let most = if metric.is_of_bits() { Form::Bits.max_dims() } else { Geometry::MAX_DIMS };
    let dims = column::dims(column, most, method.name())?;
    // The seed is fixed: the same rows give the same index.
    Ok((kind, IndexOptions { metric, dims, lists, quantization, seed: 1 }))
}
