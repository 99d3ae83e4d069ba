//! `CREATE INDEX` and `REINDEX`: the whole table at once.
//!
//! The rows are read by the backend; the index is built by threads, while the backend's own thread
//! looks for interrupts; then the pages are written in order, and searches are measured. What does
//! not fit `maintenance_work_mem` lies in a temporary file that is mapped into memory.

#![allow(unsafe_code)] // called by PostgreSQL

use std::ffi::{CStr, c_char};
use std::ptr;

use gpu::{NoDevice, Provider};
use pgrx::pg_guard;
use pgrx::pg_sys::{self, ForkNumber, IndexBuildResult, IndexInfo, Relation};
use space::Space;

use super::gpu::Devices;
use super::load::{self, Column, Sink};
use super::method::{AccessMethod, VectorMethod};
use super::opclass::OpClass;
use super::resources;
use crate::pg::bulk::BulkWriter;
use crate::pg::error::Report;
use crate::pg::store::RelationStore;
use crate::pg::temp_file::TempFile;
use crate::pg::{progress, relation, reserve};

/// Called again and again by a build with its phase (a place in [`Build::PHASES`]), what it has done in
/// it, and of how much; it stops when this returns false.
pub type Tick<'a> = dyn FnMut(usize, usize, usize) -> bool + 'a;

/// How an access method makes an index.
pub trait Create: AccessMethod {
    /// Names of the phases after the rows are read, in `pg_stat_progress_create_index`.
    const PHASES: &'static [&'static CStr];

    /// Makes the index of a table. Returns the number of rows of the table, and of the index.
    ///
    /// # Safety
    /// Called from `ambuild`, with its arguments.
    unsafe fn create(
        heap: Relation,
        index: Relation,
        info: *mut IndexInfo,
    ) -> Result<(f64, usize), Report>;
    /// Writes an index without rows to the initial fork.
    ///
    /// # Safety
    /// `index` is open, and its initial fork is empty.
    unsafe fn create_empty(index: Relation) -> Result<(), Report>;
}

/// How an index of vectors is built.
pub trait Build: VectorMethod {
    /// [`Create::PHASES`]; the last is that of [`Build::measure`].
    const PHASES: &'static [&'static CStr];
    /// Whether searches of a new index are measured.
    const MEASURED: bool;

    /// What an index is made with.
    type Options: Copy;
    /// An index that is being built, part of which may lie in a file that lives as long.
    type Bulk<'a>: Sink;

    /// The dimensions of a new index's vectors, and what it is to be made with.
    ///
    /// # Safety
    /// `index` is open, and of this class.
    unsafe fn options(index: Relation, class: OpClass) -> Result<(usize, Self::Options), Report>;
    /// An index without rows.
    fn begin(options: Self::Options, space: Space<'_>) -> pages::Result<Self::Bulk<'_>>;
    /// Looks at the rows that were read. Returns the options with which the build has to begin anew,
    /// if these rows ask for others.
    fn loaded(
        bulk: &Self::Bulk<'_>,
        options: &Self::Options,
    ) -> pages::Result<Option<Self::Options>>;
    /// Builds the index with so many threads and the device of `provider`, if it has one, and hands its
    /// pages to `append`.
    fn write(
        bulk: Self::Bulk<'_>,
        provider: &mut dyn Provider,
        threads: usize,
        tick: &mut Tick<'_>,
        append: &mut dyn FnMut(&[u8]) -> pages::Result<()>,
    ) -> pages::Result<()>;
    /// Measures searches of a new index of so many rows, at least one. `name` is the index's.
    fn measure(
        store: &RelationStore<'_>,
        options: &Self::Options,
        rows: usize,
        name: &dyn Fn() -> String,
    ) -> pages::Result<()>;
}

/// The phase in `pg_stat_progress_create_index` that PostgreSQL sets itself; ours follow it.
const INITIALIZING: i64 = pg_sys::PROGRESS_CREATEIDX_SUBPHASE_INITIALIZE as i64;
pub const LOADING: i64 = INITIALIZING + 1;
/// The first of [`Build::PHASES`].
const FIRST_OWN: i64 = LOADING + 1;

/// Names a phase.
#[pg_guard]
pub unsafe extern "C-unwind" fn ambuildphasename<M: Create>(phase: i64) -> *mut c_char {
    let own = || M::PHASES.get(usize::try_from(phase - FIRST_OWN).ok()?).copied();
    let name = match phase {
        INITIALIZING => Some(c"initializing"),
        LOADING => Some(c"loading tuples"),
        _ => own(),
    };
    name.map_or(ptr::null_mut(), |name| name.as_ptr().cast_mut())
}

/// Builds the index of a table.
#[pg_guard]
pub unsafe extern "C-unwind" fn ambuild<M: Create>(
    heap: Relation,
    index: Relation,
    info: *mut IndexInfo,
) -> *mut IndexBuildResult {
    // SAFETY: PostgreSQL gives an open table, and a new, empty index that nobody else sees;
    // `palloc0` gives memory for the result.
    unsafe {
        let built = M::create(heap, index, info);
        let (heap_tuples, index_tuples) = built.unwrap_or_else(|error| error.raise());
        let result = pg_sys::palloc0(size_of::<IndexBuildResult>()).cast::<IndexBuildResult>();
        (*result).heap_tuples = heap_tuples;
        (*result).index_tuples = index_tuples as f64;
        result
    }
}

/// Writes the empty index that an unlogged one becomes after a crash.
#[pg_guard]
pub unsafe extern "C-unwind" fn ambuildempty<M: Create>(index: Relation) {
    // SAFETY: PostgreSQL gives an open index whose initial fork is empty.
    unsafe { M::create_empty(index) }.unwrap_or_else(|error| error.raise());
}

impl<M: Build> Create for M {
    const PHASES: &'static [&'static CStr] = <M as Build>::PHASES;

    unsafe fn create(
        heap: Relation,
        index: Relation,
        info: *mut IndexInfo,
    ) -> Result<(f64, usize), Report> {
        // SAFETY: `heap` and `index` are open and locked, and `info` valid, until `ambuild` returns.
        unsafe {
            let failed = |error| Report::of_index(&relation::qualified_name(index), error);
            let class = OpClass::of(index)?;
            let (dims, options) = M::options(index, class)?;
            let column = Column { kind: class.kind, dims, metric: class.metric };
            let relations = (heap, index, info);
            let mut file = TempFile::default();
            let (heap_tuples, bulk) = collect::<M>(relations, column, options, &mut file)?;
            let rows = match M::loaded(&bulk, &options).map_err(failed)? {
                None => write::<M>((heap, index), bulk, &options)?,
                Some(options) => {
                    drop(bulk);
                    drop(file);
                    let mut file = TempFile::default();
                    let (_, bulk) = collect::<M>(relations, column, options, &mut file)?;
                    write::<M>((heap, index), bulk, &options)?
                }
            };
            Ok((heap_tuples, rows))
        }
    }

    unsafe fn create_empty(index: Relation) -> Result<(), Report> {
        // SAFETY: PostgreSQL has just created `index` and opened it; nobody else sees it yet.
        unsafe {
            let (_, options) = M::options(index, OpClass::of(index)?)?;
            let mut writer = BulkWriter::new(index, ForkNumber::INIT_FORKNUM);
            M::begin(options, Space::unlimited())
                .and_then(|bulk| {
                    let append = &mut |body: &[u8]| writer.append(body);
                    M::write(bulk, &mut NoDevice, 1, &mut |_, _, _| true, append)
                })
                .map_err(|error| Report::of_index(&relation::qualified_name(index), error))?;
            writer.finish();
        }
        Ok(())
    }
}

/// Reads the rows that belong into the index; also tells how many the table has.
///
/// # Safety
/// As [`ambuild`].
unsafe fn collect<M: Build>(
    (heap, index, info): (Relation, Relation, *mut IndexInfo),
    column: Column,
    options: M::Options,
    file: &mut TempFile,
) -> Result<(f64, M::Bulk<'_>), Report> {
    let map_file = |bytes| Ok(file.map(bytes).unwrap_or_else(|error| error.raise()));
    let space = Space::new(resources::maintenance_work_mem(), Box::new(map_file));
    // SAFETY: `heap` and `index` are open and locked, and `info` valid, until `ambuild` returns.
    unsafe {
        let mut bulk = M::begin(options, space)
            .map_err(|error| Report::of_index(&relation::qualified_name(index), error))?;
        progress::begin_phase(LOADING, relation::estimated_rows(heap));
        let heap_tuples = load::all_rows::<M>((heap, index, info), column, &mut bulk);
        Ok((heap_tuples, bulk))
    }
}

/// Writes an index, and tells how many rows it has.
///
/// # Safety
/// As [`ambuild`].
unsafe fn write<M: Build>(
    (heap, index): (Relation, Relation),
    bulk: M::Bulk<'_>,
    options: &M::Options,
) -> Result<usize, Report> {
    // SAFETY: `heap` and `index` are open and locked, and nobody else writes to `index` yet.
    unsafe {
        let name = || relation::qualified_name(index);
        let failed = |error| Report::of_index(&name(), error);
        let rows = bulk.rows();
        let workers = resources::workers(heap, rows);
        if workers > 0 {
            pgrx::debug1!("using {workers} parallel workers");
        }
        let mut writer = BulkWriter::new(index, ForkNumber::MAIN_FORKNUM);
        let mut append = |body: &[u8]| writer.append(body);
        let mut devices = Devices::new(index, 1 + workers);
        M::write(bulk, &mut devices, 1 + workers, &mut watch(), &mut append).map_err(failed)?;
        writer.finish();
        if M::MEASURED && rows > 0 {
            progress::begin_phase(LOADING + <M as Build>::PHASES.len() as i64, 0);
            M::measure(&RelationStore::new(index), options, rows, &name).map_err(failed)?;
        }
        Ok(rows)
    }
}

/// Shows the progress of a build, and stops it where the user wants that.
fn watch() -> impl FnMut(usize, usize, usize) -> bool {
    let mut current = None;
    move |phase, done, total| {
        pgrx::check_for_interrupts!();
        reserve::check().unwrap_or_else(|refused| Report::from(refused).raise());
        if current != Some(phase) {
            current = Some(phase);
            progress::begin_phase(FIRST_OWN + phase as i64, total);
        }
        progress::tuples_done(done);
        true
    }
}
