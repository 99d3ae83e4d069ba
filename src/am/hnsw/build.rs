//! `CREATE INDEX` and `REINDEX`: the whole table at once.
//!
//! The rows are read by the backend; the graph is built by threads, while the backend's own thread
//! looks for interrupts; then the pages are written in order, and searches are measured. What does
//! not fit `maintenance_work_mem` lies in a temporary file that is mapped into memory.

#![allow(unsafe_code)] // called by PostgreSQL

use std::ffi::c_char;
use std::ptr;

use graph::{Bulk, IndexOptions, Phase};
use pages::{Calibration, Form};
use pgrx::PgSqlErrorCode::ERRCODE_SUCCESSFUL_COMPLETION;
use pgrx::pg_guard;
use pgrx::pg_sys::{ForkNumber, IndexBuildResult, IndexInfo, Relation};
use space::Space;

use super::options::Options;
use super::settings;
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
const BUILDING: i64 = INITIALIZING + 2;
const WRITING: i64 = INITIALIZING + 3;
const CALIBRATING: i64 = INITIALIZING + 4;

/// Names a phase.
#[pg_guard]
pub unsafe extern "C-unwind" fn ambuildphasename(phase: i64) -> *mut c_char {
    let name = match phase {
        INITIALIZING => c"initializing",
        LOADING => c"loading tuples",
        BUILDING => c"building graph",
        WRITING => c"writing pages",
        CALIBRATING => c"calibrating searches",
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
        write_empty(index, ForkNumber::INIT_FORKNUM, &options)
            .unwrap_or_else(|error| error.raise());
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
        let (kind, mut options) = index_options(index)?;
        let failed = |error| Report::of_index(&relation::qualified_name(index), error);
        let (mut file, mut next_file) = (TempFile::default(), TempFile::default());
        let mut collected = collect((heap, index, info), kind, options, &mut file)?;
        if collected.1.is_blurred().map_err(failed)? {
            pgrx::debug1!("16-bit floats do not tell the rows apart");
            drop(collected);
            drop(file);
            options.form = Form::Floats;
            collected = collect((heap, index, info), kind, options, &mut next_file)?;
        }
        let (heap_tuples, bulk) = collected;
        let rows = bulk.len();
        if rows == 0 {
            write_empty(index, ForkNumber::MAIN_FORKNUM, &options)?;
            return Ok((heap_tuples, 0));
        }
        let mut writer = BulkWriter::new(index, ForkNumber::MAIN_FORKNUM);
        let mut tick = build::watch(|phase| match phase {
            Phase::Graph => BUILDING,
            Phase::Pages => WRITING,
        });
        let workers = resources::workers(heap, rows);
        if workers > 0 {
            pgrx::debug1!("using {workers} parallel workers");
        }
        let mut append = |body: &[u8]| writer.append(body);
        bulk.write(1 + workers, &mut tick, &mut append).map_err(failed)?;
        writer.finish();
        progress::begin_phase(CALIBRATING, 0);
        let calibration = graph::calibrate(&RelationStore::new(index)).map_err(failed)?;
        if let Some(calibration) = &calibration {
            expect_recall(&relation::qualified_name(index), &options, calibration);
        }
        Ok((heap_tuples, rows))
    }
}

/// Tells the user where searches of a new index will find little, whatever their width.
fn expect_recall(index: &str, options: &IndexOptions, calibration: &Calibration) {
    let ef = settings::default_ef_search(Some(calibration));
    let recall = graph::expected_recall(calibration, ef);
    if recall >= graph::DEFAULT_RECALL {
        return;
    }
    let finer = match options.form {
        Form::Sq8 | Form::Rabitq => "without quantization, or ",
        Form::Floats | Form::Halves | Form::Bytes | Form::Bits | Form::Sparse => "",
    };
    let percent = (100.0 * recall).floor();
    let message =
        format!("searches of index {index} will find about {percent} % of the nearest rows");
    Report::new(ERRCODE_SUCCESSFUL_COMPLETION, message)
        .detail(format!("Recall of the 10 nearest was measured with ef_search {ef}."))
        .hint(format!("Recreate the index {finer}with larger m and ef_construction."))
        .notice();
}

/// Reads the rows that belong into the index; also tells how many the table has.
///
/// # Safety
/// As [`ambuild`].
unsafe fn collect(
    (heap, index, info): (Relation, Relation, *mut IndexInfo),
    kind: ElementKind,
    options: IndexOptions,
    file: &mut TempFile,
) -> Result<(f64, Bulk<'_>), Report> {
    let map_file = |bytes| Ok(file.map(bytes).unwrap_or_else(|error| error.raise()));
    let space = Space::new(resources::maintenance_work_mem(), Box::new(map_file));
    let column = Column { kind, dims: options.dims, metric: options.metric };
    // SAFETY: the caller's promise, for all calls.
    unsafe {
        let failed = |error| Report::of_index(&relation::qualified_name(index), error);
        let mut bulk = Bulk::new(options, space).map_err(failed)?;
        progress::begin_phase(LOADING, relation::estimated_rows(heap));
        let heap_tuples = load::all_rows((heap, index, info), column, &mut bulk);
        Ok((heap_tuples, bulk))
    }
}

/// # Safety
/// `index` is open, and its fork empty and ours.
unsafe fn write_empty(
    index: Relation,
    fork: ForkNumber::Type,
    options: &IndexOptions,
) -> Result<(), Report> {
    // SAFETY: the caller's promise.
    unsafe {
        let mut writer = BulkWriter::new(index, fork);
        graph::empty_index(options)
            .and_then(|body| writer.append(&body))
            .map_err(|error| Report::of_index(&relation::qualified_name(index), error))?;
        writer.finish();
    }
    Ok(())
}

/// What a new index is on, and is to be made with.
///
/// # Safety
/// `index` is open.
unsafe fn index_options(index: Relation) -> Result<(ElementKind, IndexOptions), Report> {
    // SAFETY: the caller's promise; the index has a column, number 1.
    let (class, (of, typmod)) =
        unsafe { (OpClass::of(index)?, relation::type_and_modifier(index, 1)) };
    // SAFETY: the caller's promise.
    let Options { m, ef_construction, quantization } = unsafe { Options::of(index)? };
    let OpClass { kind, metric } = class;
    let dims = column::dims((of, typmod), kind.max_dims(), "hnsw")?;
    // The seed is fixed: the same rows give the same index.
    let form = quantization.form(class, dims)?;
    Ok((kind, IndexOptions { metric, form, dims, m, ef_construction, seed: 1 }))
}
