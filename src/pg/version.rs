//! Where the majors of PostgreSQL differ: the same small verbs for all of them.
//!
//! What is larger than a line lies beside: `bulk` writes new indexes in one of two ways, and
//! `am::explain` is there from 18 on.

#![allow(unsafe_code)] // calls into PostgreSQL

use std::ffi::{CStr, c_int};

#[cfg(not(any(feature = "pg14", feature = "pg15")))]
pub use pgrx::pg_sys::RelFileLocator as RelFile;
#[cfg(any(feature = "pg14", feature = "pg15"))]
pub use pgrx::pg_sys::RelFileNode as RelFile;
use pgrx::pg_sys::{self, IndexPath, IndexScanDesc, PgStat_Counter, Relation, relopt_parse_elt};

/// An empty bitmap of rows that takes about as much memory as `work_mem` says.
///
/// # Safety
/// The current memory context lives as long as the bitmap.
pub unsafe fn new_bitmap() -> *mut pg_sys::TIDBitmap {
    // SAFETY: a setting, read on the backend's own thread; the bitmap is for this backend alone.
    unsafe {
        let bytes = i64::from(pg_sys::work_mem) * 1024;
        pg_sys::tbm_create(bytes as _, std::ptr::null_mut())
    }
}

/// Begins a scan of an index that gives bitmaps.
///
/// # Safety
/// The index is open, and the snapshot is kept.
pub unsafe fn begin_bitmap_scan(
    index: Relation,
    snapshot: pg_sys::Snapshot,
    keys: c_int,
) -> IndexScanDesc {
    // SAFETY: the index is open, and the snapshot is kept; nobody asks for figures of the scan.
    unsafe {
        #[cfg(not(feature = "pg18"))]
        let scan = pg_sys::index_beginscan_bitmap(index, snapshot, keys);
        #[cfg(feature = "pg18")]
        let scan = pg_sys::index_beginscan_bitmap(index, snapshot, std::ptr::null_mut(), keys);
        scan
    }
}

/// Sleeps where `vacuum_cost_delay` says so, and looks for interrupts.
///
/// # Safety
/// No page is held.
pub unsafe fn vacuum_delay_point() {
    // SAFETY: no page is held, so this may wait or raise an error. From 18 on it is told apart from
    // ANALYZE.
    unsafe {
        #[cfg(not(feature = "pg18"))]
        pg_sys::vacuum_delay_point();
        #[cfg(feature = "pg18")]
        pg_sys::vacuum_delay_point(false);
    }
}

/// Ends the reading or adding of a page that an error has cut short. From 16 on that is up to the owner
/// of its resources.
///
/// # Safety
/// An error was raised meanwhile, and is dealt with.
pub unsafe fn abort_buffer_io() {
    // SAFETY: the error that interrupted the I/O is dealt with, so nobody goes on with it.
    #[cfg(any(feature = "pg14", feature = "pg15"))]
    unsafe {
        pg_sys::AbortBufferIO();
    }
}

/// Writes one byte into a file at an offset; what is returned is 1 where that succeeds.
///
/// # Safety
/// The file is open.
pub unsafe fn write_byte(file: pg_sys::File, mut byte: u8, offset: pg_sys::off_t) -> isize {
    let byte = (&raw mut byte).cast();
    // SAFETY: the file is open; one byte is read from its place.
    unsafe {
        #[cfg(any(feature = "pg14", feature = "pg15", feature = "pg16"))]
        let written = pg_sys::FileWrite(file, byte, 1, offset, 0) as isize;
        #[cfg(not(any(feature = "pg14", feature = "pg15", feature = "pg16")))]
        let written = {
            let part = pg_sys::iovec { iov_base: byte, iov_len: 1 };
            pg_sys::FileWriteV(file, &raw const part, 1, offset, 0)
        };
        written
    }
}

/// Whether this transaction, or a part of it that has not failed, has made the relation or given it
/// a new file.
///
/// # Safety
/// `relation` is open.
pub unsafe fn is_new(relation: Relation) -> bool {
    // SAFETY: fields of an open relation; 0 is no subtransaction.
    unsafe {
        #[cfg(any(feature = "pg14", feature = "pg15"))]
        let file = (*relation).rd_firstRelfilenodeSubid;
        #[cfg(not(any(feature = "pg14", feature = "pg15")))]
        let file = (*relation).rd_firstRelfilelocatorSubid;
        (*relation).rd_createSubid != 0 || file != 0
    }
}

/// The number of scans in the cumulative statistics of an index; none where they are off.
///
/// # Safety
/// `index` is open, and the statistics are not flushed while the result is used.
pub unsafe fn scan_counter<'a>(index: Relation) -> Option<&'a mut PgStat_Counter> {
    // SAFETY: `index` is open, and its statistics are not flushed while the result is used.
    let counts = unsafe { counts(index) }?;
    #[cfg(any(feature = "pg14", feature = "pg15"))]
    return Some(&mut counts.t_numscans);
    #[cfg(not(any(feature = "pg14", feature = "pg15")))]
    return Some(&mut counts.numscans);
}

/// Counts a page found in the shared buffers in the cumulative statistics, as `ReadBuffer` does.
///
/// # Safety
/// `relation` is open.
#[inline]
pub unsafe fn count_hit(relation: Relation) {
    // SAFETY: `relation` is open.
    if let Some(counts) = unsafe { counts(relation) } {
        #[cfg(any(feature = "pg14", feature = "pg15"))]
        let (fetched, hit) = (&mut counts.t_blocks_fetched, &mut counts.t_blocks_hit);
        #[cfg(not(any(feature = "pg14", feature = "pg15")))]
        let (fetched, hit) = (&mut counts.blocks_fetched, &mut counts.blocks_hit);
        *fetched += 1;
        *hit += 1;
    }
    #[cfg(any(feature = "pg16", feature = "pg17", feature = "pg18"))]
    {
        use pg_sys::{IOContext, IOObject, IOOp};
        let object = IOObject::IOOBJECT_RELATION;
        let (context, hit) = (IOContext::IOCONTEXT_NORMAL, IOOp::IOOP_HIT);
        // SAFETY: adds to a counter of this backend.
        unsafe {
            #[cfg(not(feature = "pg18"))]
            pg_sys::pgstat_count_io_op(object, context, hit);
            #[cfg(feature = "pg18")]
            pg_sys::pgstat_count_io_op(object, context, hit, 1, 0);
        }
    }
}

/// The cumulative statistics of a relation; none where they are off.
///
/// # Safety
/// `relation` is open, and the statistics are not flushed while the result is used.
#[inline]
unsafe fn counts<'a>(relation: Relation) -> Option<&'a mut pg_sys::PgStat_TableCounts> {
    // SAFETY: fields of an open relation; `pgstat_info` is set by `pgstat_assoc_relation`, in 14
    // when the relation is opened.
    unsafe {
        #[cfg(not(feature = "pg14"))]
        if (*relation).pgstat_info.is_null() && (*relation).pgstat_enabled {
            pg_sys::pgstat_assoc_relation(relation);
        }
        let stats = (*relation).pgstat_info.as_mut()?;
        #[cfg(any(feature = "pg14", feature = "pg15"))]
        return Some(&mut stats.t_counts);
        #[cfg(not(any(feature = "pg14", feature = "pg15")))]
        return Some(&mut stats.counts);
    }
}

/// The file whose pages the shared buffers hold; none of a temporary relation.
///
/// # Safety
/// `relation` is open.
#[inline]
pub unsafe fn shared_file(relation: Relation) -> Option<RelFile> {
    // SAFETY: fields of an open relation.
    unsafe {
        #[cfg(any(feature = "pg14", feature = "pg15"))]
        let file = (*relation).rd_node;
        #[cfg(not(any(feature = "pg14", feature = "pg15")))]
        let file = (*relation).rd_locator;
        // Pages of a temporary relation have one backend.
        ((*relation).rd_backend == -1).then_some(file)
    }
}

/// Counts a descent into the index, which `EXPLAIN (ANALYZE)` shows from 18 on.
///
/// # Safety
/// `desc` is a scan that has not ended.
pub unsafe fn count_search(desc: IndexScanDesc) {
    #[cfg(feature = "pg18")]
    // SAFETY: a scan that has not ended is valid; its figures are null where nobody asks.
    unsafe {
        if let Some(instrument) = (*desc).instrument.as_mut() {
            instrument.nsearches += 1;
        }
    }
    let _ = desc;
}

/// Marks a path as one that must not be taken. Before 18 its infinite cost alone says so.
///
/// # Safety
/// `path` is valid.
pub unsafe fn disable(path: *mut IndexPath) {
    #[cfg(feature = "pg18")]
    // SAFETY: `path` is valid.
    unsafe {
        (*path).path.disabled_nodes = 2;
    }
    let _ = path;
}

/// An expression of a query that is planned, in which no column is one of the result of `GROUP BY`: since 18
/// these have a range-table entry of their own.
///
/// # Safety
/// `root` is null or the planner's, and `expression` one of its query.
pub unsafe fn ungrouped(
    root: *mut pg_sys::PlannerInfo,
    expression: *mut pg_sys::Node,
) -> *mut pg_sys::Node {
    #[cfg(feature = "pg18")]
    // SAFETY: the planner's state has its query.
    unsafe {
        if !root.is_null() {
            return pg_sys::flatten_group_exprs(root, (*root).parse, expression);
        }
    }
    let _ = root;
    expression
}

/// How a storage parameter is parsed into a struct that has it at `offset`.
pub fn option(
    name: &'static CStr,
    opttype: pg_sys::relopt_type::Type,
    offset: c_int,
) -> relopt_parse_elt {
    relopt_parse_elt {
        optname: name.as_ptr(),
        opttype,
        offset,
        #[cfg(feature = "pg18")]
        isset_offset: 0,
    }
}

/// Says that all settings of these prefixes are known: another one is a slip of the pen. From 15 on,
/// those that a session has set before and that are not defined are removed.
pub fn reserve_settings(prefixes: &[&CStr]) {
    for prefix in prefixes {
        // SAFETY: a string that ends with NUL.
        unsafe {
            #[cfg(feature = "pg14")]
            pg_sys::EmitWarningsOnPlaceholders(prefix.as_ptr());
            #[cfg(not(feature = "pg14"))]
            pg_sys::MarkGUCPrefixReserved(prefix.as_ptr());
        }
    }
}

/// What PostgreSQL knows of the setting `name`; null where there is none.
///
/// # Safety
/// Called on the backend's own thread.
pub unsafe fn setting(name: &CStr) -> *mut pg_sys::config_generic {
    // SAFETY: only the backend's own thread changes settings; names end with NUL, and there are as
    // many as told.
    unsafe {
        #[cfg(any(feature = "pg14", feature = "pg15"))]
        let setting = {
            let count = usize::try_from(pg_sys::GetNumConfigOptions()).unwrap_or(0);
            let all = std::slice::from_raw_parts(pg_sys::get_guc_variables(), count);
            let named =
                |setting: &&*mut pg_sys::config_generic| CStr::from_ptr((***setting).name) == name;
            all.iter().find(named).copied().unwrap_or(std::ptr::null_mut())
        };
        #[cfg(not(any(feature = "pg14", feature = "pg15")))]
        let setting = pg_sys::find_option(name.as_ptr(), false, true, pg_sys::LOG as c_int);
        setting
    }
}

/// What a custom path says of itself whose node computes target lists; taken for granted in 14.
#[cfg(feature = "pg14")]
pub const PROJECTS: u32 = 0;
/// What a custom path says of itself whose node computes target lists.
#[cfg(not(feature = "pg14"))]
pub const PROJECTS: u32 = pg_sys::CUSTOMPATH_SUPPORT_PROJECTION;

/// Makes a path as unwanted as another; before 18 the costs say so.
pub fn copy_disabled(path: &mut pg_sys::Path, of: &pg_sys::Path) {
    #[cfg(feature = "pg18")]
    {
        path.disabled_nodes = of.disabled_nodes;
    }
    let _ = (path, of);
}

/// What the costs of a path have that is unwanted; before 18 only costs say so.
pub fn disabled_cost(of: &pg_sys::Path) -> f64 {
    #[cfg(not(feature = "pg18"))]
    {
        // SAFETY: a constant.
        let disabled = unsafe { pg_sys::disable_cost };
        if of.startup_cost >= disabled { disabled } else { 0.0 }
    }
    #[cfg(feature = "pg18")]
    {
        let _ = of;
        0.0
    }
}

/// Begins a scan of an index of a table.
///
/// # Safety
/// Both are open, and the snapshot is registered or active.
pub unsafe fn begin_index_scan(
    table: Relation,
    index: Relation,
    snapshot: pg_sys::Snapshot,
    keys: c_int,
    order_bys: c_int,
) -> IndexScanDesc {
    // SAFETY: table and index are open, and the snapshot is kept; nobody asks for figures of the scan.
    unsafe {
        #[cfg(not(feature = "pg18"))]
        let scan = pg_sys::index_beginscan(table, index, snapshot, keys, order_bys);
        #[cfg(feature = "pg18")]
        let scan =
            pg_sys::index_beginscan(table, index, snapshot, std::ptr::null_mut(), keys, order_bys);
        scan
    }
}

/// Whether an outer join may complete rows of a relation by NULL.
///
/// # Safety
/// `root` and `rel` are the planner's.
#[cfg(any(feature = "pg14", feature = "pg15"))]
pub unsafe fn is_nullable(root: &pg_sys::PlannerInfo, rel: &pg_sys::RelOptInfo) -> bool {
    // SAFETY: the planner's own state; a partition is as nullable as its parents.
    unsafe {
        pg_sys::bms_overlap(rel.relids, root.nullable_baserels)
            || pg_sys::bms_overlap(rel.top_parent_relids, root.nullable_baserels)
    }
}

/// Whether an outer join may complete rows of a relation by NULL.
///
/// # Safety
/// `root` and `rel` are the planner's.
#[cfg(not(any(feature = "pg14", feature = "pg15")))]
pub unsafe fn is_nullable(_: &pg_sys::PlannerInfo, rel: &pg_sys::RelOptInfo) -> bool {
    !rel.nulling_relids.is_null()
}

/// All relations of a query, with its outer joins where these count as such.
pub fn all_relations(root: &pg_sys::PlannerInfo) -> pg_sys::Relids {
    #[cfg(any(feature = "pg14", feature = "pg15"))]
    let all = root.all_baserels;
    #[cfg(not(any(feature = "pg14", feature = "pg15")))]
    let all = root.all_query_rels;
    all
}

/// Takes the lock of a tuple unless another has it.
///
/// # Safety
/// The relation is open.
pub unsafe fn try_lock_tuple(
    relation: Relation,
    tuple: &mut pg_sys::ItemPointerData,
    mode: i32,
) -> bool {
    // SAFETY: the relation is open.
    unsafe {
        pg_sys::ConditionalLockTuple(
            relation,
            tuple,
            mode,
            #[cfg(feature = "pg18")]
            false,
        )
    }
}

/// Whether a user has `USAGE` on a foreign server.
///
/// # Safety
/// Inside of a statement; the server exists.
pub unsafe fn may_use_server(server: pg_sys::Oid, user: pg_sys::Oid) -> pg_sys::AclResult::Type {
    let usage = pg_sys::ACL_USAGE as _;
    // SAFETY: inside of a statement, on a server that exists.
    unsafe {
        #[cfg(any(feature = "pg14", feature = "pg15"))]
        let access = pg_sys::pg_foreign_server_aclcheck(server, user, usage);
        #[cfg(not(any(feature = "pg14", feature = "pg15")))]
        let access = pg_sys::object_aclcheck(pg_sys::ForeignServerRelationId, server, user, usage);
        access
    }
}
