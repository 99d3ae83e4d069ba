//! Relations: the few facts about one that PostgreSQL gives by macros, and opening one by its OID.

#![allow(unsafe_code)] // fields of PostgreSQL's structs

use std::ffi::{CStr, c_char};
use std::{mem, ptr, thread};

use pgrx::PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED;
use pgrx::pg_sys::{self, Oid, Relation};

use super::error::Report;
use super::{encoding, version};

/// The name with its schema, quoted where needed, as a command or a message wants it.
///
/// # Safety
/// `relation` is open.
pub unsafe fn qualified_name(relation: Relation) -> String {
    // SAFETY: `relation` is open; the name ends with NUL.
    unsafe { encoding::shown(qualified(relation)) }
}

/// # Safety
/// `relation` is open.
unsafe fn qualified(relation: Relation) -> *const c_char {
    // SAFETY: an open relation has its row of pg_class; names end with NUL. A null schema (it was
    // dropped) is left out.
    unsafe {
        let class = &*(*relation).rd_rel;
        let schema = pg_sys::get_namespace_name(class.relnamespace);
        pg_sys::quote_qualified_identifier(schema, class.relname.data.as_ptr())
    }
}

/// A name as an identifier of SQL.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as a constant of SQL, however backslashes are read.
///
/// # Errors
/// If it cannot be converted.
pub fn quoted_literal(text: &str) -> Result<String, Report> {
    let text = encoding::encode(text)?;
    // SAFETY: a text that ends with NUL, as is what comes back.
    unsafe { encoding::decode_c(pg_sys::quote_literal_cstr(text.as_ptr())) }
}

/// A name of parts, cut to the length that names may have; `label` is kept whole.
///
/// # Errors
/// If it cannot be converted.
pub fn name_of(first: &CStr, second: &str, label: Option<&CStr>) -> Result<String, Report> {
    let second = encoding::encode(second)?;
    let label = label.map_or(ptr::null(), CStr::as_ptr);
    // SAFETY: texts that end with NUL, as does what comes back; the label may be null.
    unsafe { encoding::decode_c(pg_sys::makeObjectName(first.as_ptr(), second.as_ptr(), label)) }
}

/// A name for a message: quoted where needed.
pub fn quoted_if_needed(name: &str) -> String {
    match encoding::encode(name) {
        // SAFETY: names end with NUL.
        Ok(name) => unsafe { encoding::shown(pg_sys::quote_identifier(name.as_ptr())) },
        Err(_) => quoted(name),
    }
}

/// The name of an index's access method.
///
/// # Safety
/// `index` is open.
pub unsafe fn access_method(index: Relation) -> String {
    // SAFETY: an open index has its row of pg_class; the name ends with NUL, and is null only where
    // its row is gone.
    unsafe {
        let name = pg_sys::get_am_name((*(*index).rd_rel).relam);
        if name.is_null() { String::new() } else { encoding::shown(name) }
    }
}

/// Whether changes must be logged: the relation is permanent, and not so new that the end of the
/// transaction will write it out whole.
///
/// # Safety
/// `relation` is open.
pub unsafe fn needs_wal(relation: Relation) -> bool {
    // SAFETY: fields of an open relation; `wal_level` is fixed at server start.
    unsafe {
        let permanent =
            (*(*relation).rd_rel).relpersistence as u8 == pg_sys::RELPERSISTENCE_PERMANENT;
        let archived = pg_sys::wal_level >= pg_sys::WalLevel::WAL_LEVEL_REPLICA as i32;
        permanent && (archived || !version::is_new(relation))
    }
}

/// Counts one scan of an index in the cumulative statistics.
///
/// # Safety
/// `index` is open.
pub unsafe fn count_scan(index: Relation) {
    // SAFETY: `index` is open, and nothing else happens while the counter is borrowed.
    if let Some(scans) = unsafe { version::scan_counter(index) } {
        *scans += 1;
    }
}

/// Rows of a table as the last `VACUUM` or `ANALYZE` counted them; 0 where none did.
///
/// # Safety
/// `table` is open.
pub unsafe fn estimated_rows(table: Relation) -> usize {
    // SAFETY: an open relation has its row of pg_class. A float to integer cast saturates.
    unsafe { (*(*table).rd_rel).reltuples as usize }
}

/// Blocks of a table, whatever its access method.
///
/// # Safety
/// `table` is open and has storage.
pub unsafe fn blocks(table: Relation) -> u32 {
    let main = pg_sys::ForkNumber::MAIN_FORKNUM;
    // SAFETY: `table` is open and has storage.
    unsafe { pg_sys::RelationGetNumberOfBlocksInFork(table, main) }
}

/// The type of a column, numbered from 1, and its modifier; of a domain, the type it is over.
///
/// # Safety
/// `relation` is open and has the column.
pub unsafe fn type_and_modifier(relation: Relation, column: i16) -> (Oid, i32) {
    let (mut kind, mut typmod, mut collation) = (Oid::INVALID, -1, Oid::INVALID);
    // SAFETY: `relation` is open and has the column; the results have places of their types.
    unsafe {
        let oid = (*relation).rd_id;
        let (kind, collation) = (&raw mut kind, &raw mut collation);
        pg_sys::get_atttypetypmodcoll(oid, column, kind, &raw mut typmod, collation);
        let base = pg_sys::getBaseTypeAndTypmod(*kind, &raw mut typmod);
        (base, typmod)
    }
}

/// The storage parameter `parallel_workers` of a table, where it is set.
///
/// # Safety
/// `table` is an open table or materialized view.
pub unsafe fn parallel_workers(table: Relation) -> Option<usize> {
    // SAFETY: options of a table are `StdRdOptions`, null where none is set.
    let options = unsafe { (*table).rd_options.cast::<pg_sys::StdRdOptions>().as_ref() };
    options.and_then(|options| usize::try_from(options.parallel_workers).ok())
}

/// Locks a table as an `UPDATE` does, until the end of the transaction.
pub fn lock_to_write(table: Oid) {
    // SAFETY: any OID can be locked; an error passes through our frames.
    unsafe { pg_sys::LockRelationOid(table, pg_sys::RowExclusiveLock as i32) };
}

/// A relation opened by its OID with `AccessShareLock`; closed on drop.
pub struct Opened(Relation);

impl Opened {
    /// Opens any relation; an unknown OID is an error that PostgreSQL raises.
    pub fn open(oid: Oid) -> Opened {
        // SAFETY: raises an error or gives an open relation.
        Opened(unsafe { pg_sys::relation_open(oid, pg_sys::AccessShareLock as i32) })
    }

    /// Opens any relation; none where there is none of this OID.
    pub fn find(oid: Oid) -> Option<Opened> {
        // SAFETY: gives an open relation or null.
        let relation = unsafe { pg_sys::try_relation_open(oid, pg_sys::AccessShareLock as i32) };
        (!relation.is_null()).then(|| Opened(relation))
    }

    /// The relation, open as long as `self` lives.
    pub fn get(&self) -> Relation {
        self.0
    }

    /// The OID.
    pub fn oid(&self) -> Oid {
        // SAFETY: the relation is open.
        unsafe { (*self.0).rd_id }
    }

    /// The name with its schema, quoted where needed.
    pub fn name(&self) -> String {
        // SAFETY: the relation is open.
        unsafe { qualified_name(self.0) }
    }

    /// The name alone, as messages of PostgreSQL about privileges show it.
    pub fn unqualified_name(&self) -> String {
        // SAFETY: an open relation has its row of pg_class; names end with NUL.
        unsafe { encoding::shown((*(*self.0).rd_rel).relname.data.as_ptr()) }
    }

    /// The name with its schema, quoted where needed, for a statement.
    ///
    /// # Errors
    /// Where the name is no text.
    pub fn name_in_sql(&self) -> Result<String, Report> {
        // SAFETY: the relation is open; the name ends with NUL.
        unsafe { encoding::decode_c(qualified(self.0)) }
    }

    /// A name for an index on a column that no relation in its schema has, as PostgreSQL makes names of
    /// indexes: of the names of the table and the column, cut to fit, and `label`.
    ///
    /// # Errors
    /// Where a name is no text.
    pub fn free_index_name(&self, column: &str, label: &CStr) -> Result<String, Report> {
        let column = encoding::encode(column)?;
        // SAFETY: an open relation has its row of pg_class; names end with NUL, as does what comes back.
        unsafe {
            let class = &*(*self.0).rd_rel;
            let (table, schema) = (class.relname.data.as_ptr(), class.relnamespace);
            let (column, label) = (column.as_ptr(), label.as_ptr());
            encoding::decode_c(pg_sys::ChooseRelationName(table, column, label, schema, false))
        }
    }

    /// Closes it, but keeps its lock until the end of the transaction, so that its name stays its own.
    pub fn keep_lock(self) {
        // SAFETY: it is open, and forgotten, so that it is closed once.
        unsafe { pg_sys::relation_close(self.0, pg_sys::NoLock as i32) };
        mem::forget(self);
    }

    /// What it is: `RELKIND_INDEX` and so on.
    pub fn kind(&self) -> u8 {
        // SAFETY: an open relation has its row of pg_class.
        unsafe { (*(*self.0).rd_rel).relkind as u8 }
    }

    /// Refuses what PostgreSQL lets no query of this session read.
    ///
    /// # Errors
    /// If it is of another session, or unlogged and this server a standby.
    pub fn check_readable(&self) -> Result<(), Report> {
        // SAFETY: an open relation has its row of pg_class; the other two are read only.
        let (persistence, ours, standby) = unsafe {
            let of = *self.0;
            ((*of.rd_rel).relpersistence as u8, of.rd_islocaltemp, pg_sys::RecoveryInProgress())
        };
        if persistence == pg_sys::RELPERSISTENCE_TEMP && !ours {
            let message = format!("{} is temporary and of another session", self.name());
            return Err(Report::new(ERRCODE_FEATURE_NOT_SUPPORTED, message)
                .hint("Only the session that created it can read it."));
        }
        if persistence == pg_sys::RELPERSISTENCE_UNLOGGED && standby {
            let message = format!("{} is unlogged, and this server is a standby", self.name());
            return Err(Report::new(ERRCODE_FEATURE_NOT_SUPPORTED, message)
                .hint("Unlogged tables and indexes are on the primary server only."));
        }
        Ok(())
    }

    /// The role that owns it.
    pub fn owner(&self) -> Oid {
        // SAFETY: an open relation has its row of pg_class.
        unsafe { (*(*self.0).rd_rel).relowner }
    }

    /// Whether the current user may read all of its columns.
    pub fn may_read(&self) -> bool {
        let select = pg_sys::ACL_SELECT as pg_sys::AclMode;
        // SAFETY: a look-up in the catalog.
        let result = unsafe { pg_sys::pg_class_aclcheck(self.oid(), pg_sys::GetUserId(), select) };
        result == pg_sys::AclResult::ACLCHECK_OK
    }

    /// Whether the current user may read all columns, or some.
    pub fn may_read_a_column(&self) -> bool {
        let (select, any) =
            (pg_sys::ACL_SELECT as pg_sys::AclMode, pg_sys::AclMaskHow::ACLMASK_ANY);
        // SAFETY: look-ups in the catalog.
        let some = unsafe {
            pg_sys::pg_attribute_aclcheck_all(self.oid(), pg_sys::GetUserId(), select, any)
        };
        self.may_read() || some == pg_sys::AclResult::ACLCHECK_OK
    }

    /// Whether policies may hide rows of this table from the current user.
    pub fn has_row_security(&self) -> bool {
        // SAFETY: a look-up in the catalog; an invalid role is the current user.
        let enabled = unsafe { pg_sys::check_enable_rls(self.oid(), Oid::INVALID, true) };
        enabled == pg_sys::CheckEnableRlsResult::RLS_ENABLED as i32
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        // The end of a failed transaction closes it.
        if !thread::panicking() {
            // SAFETY: it is open, and was opened with this lock.
            unsafe { pg_sys::relation_close(self.0, pg_sys::AccessShareLock as i32) };
        }
    }
}
