//! Partitioned tables and tables with heirs: which tables hold their rows, and what they are divided by;
//! foreign tables.

#![allow(unsafe_code)] // reads what PostgreSQL caches of the catalog

use std::slice;

use pgrx::pg_sys::{self, Datum, Oid, SysCacheIdentifier};

use super::encoding::decode_c;
use super::error::Report;
use super::indexes::with_heirs;
use super::relation::Opened;

/// A table that holds rows itself.
pub struct Leaf {
    /// The OID.
    pub oid: Oid,
    /// Whether it is a foreign table.
    pub is_foreign: bool,
}

impl Leaf {
    fn new(oid: Oid) -> Self {
        // SAFETY: a look-up in the catalog; of an unknown relation it gives 0.
        let kind = unsafe { pg_sys::get_rel_relkind(oid) } as u8;
        Self { oid, is_foreign: kind == pg_sys::RELKIND_FOREIGN_TABLE }
    }

    /// Whether it is a foreign table of postgres_fdw.
    ///
    /// # Errors
    /// Where a name is no text.
    pub fn is_of_postgres(&self) -> Result<bool, Report> {
        if !self.is_foreign {
            return Ok(false);
        }
        // SAFETY: a foreign table has a server, which has a wrapper; the name of the handler, null
        // where there is none, ends with NUL.
        unsafe {
            let server = pg_sys::GetForeignServer(pg_sys::GetForeignServerIdByRelId(self.oid));
            let wrapper = pg_sys::GetForeignDataWrapper((*server).fdwid);
            let handler = pg_sys::get_func_name((*wrapper).fdwhandler);
            Ok(!handler.is_null() && decode_c(handler)? == "postgres_fdw_handler")
        }
    }
}

impl Opened {
    /// The tables that hold the rows of a table: its leaf partitions, at all levels, or itself and its
    /// heirs, which stay locked.
    pub fn leaves(&self) -> Vec<Leaf> {
        if self.has_heirs() {
            return with_heirs(self.oid()).into_iter().map(Leaf::new).collect();
        }
        if self.kind() != pg_sys::RELKIND_PARTITIONED_TABLE {
            return vec![Leaf::new(self.oid())];
        }
        let (mut leaves, mut parents) = (Vec::new(), vec![self.oid()]);
        while let Some(parent) = parents.pop() {
            pgrx::check_for_interrupts!();
            for (oid, is_leaf) in Opened::open(parent).partitions() {
                if is_leaf {
                    leaves.push(Leaf::new(oid));
                } else {
                    parents.push(oid);
                }
            }
        }
        leaves
    }

    /// Whether other tables inherit from it, or did; not of partitioned tables.
    pub fn has_heirs(&self) -> bool {
        // SAFETY: an open relation has its row of pg_class.
        let inherited = unsafe { (*(*self.get()).rd_rel).relhassubclass };
        inherited && self.kind() != pg_sys::RELKIND_PARTITIONED_TABLE
    }

    /// The partitions of a partitioned table, and whether they have none themselves.
    fn partitions(&self) -> Vec<(Oid, bool)> {
        // SAFETY: the table is open and partitioned. The descriptor is kept as long as it is open, and
        // has as many partitions as it says.
        unsafe {
            let Some(all) = pg_sys::RelationGetPartitionDesc(self.get(), true).as_ref() else {
                return Vec::new();
            };
            let count = usize::try_from(all.nparts).unwrap_or(0);
            if count == 0 {
                return Vec::new();
            }
            let oids = slice::from_raw_parts(all.oids, count).iter().copied();
            oids.zip(slice::from_raw_parts(all.is_leaf, count).iter().copied()).collect()
        }
    }

    /// The numbers of the columns that a partitioned table is divided by; 0 is an expression. None
    /// of other tables.
    pub fn partition_key(&self) -> Vec<i16> {
        // The column `partattrs` of pg_partitioned_table.
        const COLUMNS: pg_sys::AttrNumber = 5;
        let cache = SysCacheIdentifier::PARTRELID as i32;
        // SAFETY: the row of a catalog, which has this column, never NULL. It is copied before the row
        // is released; its values are as many as it says.
        unsafe {
            let row = pg_sys::SearchSysCache1(cache, Datum::from(self.oid()));
            if row.is_null() {
                return Vec::new();
            }
            let mut null = false;
            let columns = pg_sys::SysCacheGetAttr(cache, row, COLUMNS, &raw mut null);
            let columns = columns.cast_mut_ptr::<pg_sys::int2vector>();
            let count = usize::try_from((*columns).dim1).unwrap_or(0);
            let key = (*columns).values.as_slice(count).to_vec();
            pg_sys::ReleaseSysCache(row);
            key
        }
    }
}
