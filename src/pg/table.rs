//! Tables: their columns, keys, and the orders that their indexes have.

#![allow(unsafe_code)] // reads what PostgreSQL caches of the catalog

use pgrx::pg_sys::{self, FormData_pg_index, Oid, Relation};

use super::encoding::decode_c;
use super::error::Report;
use super::node::oids;
use super::relation::Opened;

/// A column of a table.
pub struct Column {
    /// Its number, from 1.
    pub number: i16,
    /// Its name, as the catalog has it, not quoted.
    pub name: String,
    /// Its type.
    pub of: Oid,
    /// Its collation.
    pub collation: Oid,
    /// Whether it is generated from others.
    pub is_generated: bool,
}

/// An index of a table.
pub struct Index {
    /// The OID.
    pub oid: Oid,
    /// Its name, as the catalog has it, without the schema, which is the table's.
    pub name: String,
}

impl Opened {
    /// The columns of a table.
    ///
    /// # Errors
    /// Where a name is no text.
    pub fn columns(&self) -> Result<Vec<Column>, Report> {
        // SAFETY: an open relation has a descriptor, which is copied; names end with NUL.
        let descriptor = unsafe { pgrx::PgTupleDesc::from_pg_copy((*self.get()).rd_att) };
        let kept = descriptor.iter().filter(|column| !column.attisdropped);
        let column = |column: &pg_sys::FormData_pg_attribute| {
            // SAFETY: as above.
            let name = unsafe { decode_c(column.attname.data.as_ptr()) }?;
            let (of, collation) = (column.atttypid, column.attcollation);
            let is_generated = column.attgenerated != 0;
            Ok(Column { number: column.attnum, name, of, collation, is_generated })
        };
        kept.map(column).collect()
    }

    /// The numbers of the columns of the primary key, in its order; none if there is no key.
    pub fn primary_key(&self) -> Vec<i16> {
        // Listing the indexes finds out which is the primary key's.
        self.indexes();
        // SAFETY: the relation is open.
        let index = unsafe { (*self.get()).rd_pkindex };
        if index == Oid::INVALID {
            return Vec::new();
        }
        with_index(index, |_, info| {
            let count = usize::try_from(info.indnkeyatts).unwrap_or(0);
            // SAFETY: an index has as many numbers of columns as its row of the catalog says.
            unsafe { info.indkey.values.as_slice(count).to_vec() }
        })
    }

    /// The operators that indexes on a column order by, as the first of their columns.
    pub fn order_operators(&self, column: i16) -> Vec<Oid> {
        let operator = |index| {
            with_index(index, |opened, info| {
                // SAFETY: an index has a first column, with an operator family and a type.
                unsafe {
                    let is_usable = info.indisvalid
                        && (*(*opened).rd_indam).amcanorderbyop
                        && *info.indkey.values.as_ptr() == column;
                    let (family, of) = (*(*opened).rd_opfamily, *(*opened).rd_opcintype);
                    is_usable.then(|| pg_sys::get_opfamily_member(family, of, of, 1))
                }
            })
        };
        self.indexes().into_iter().filter_map(operator).collect()
    }

    /// The indexes that can return rows in the order of an operator on a column, as the first of
    /// their columns.
    ///
    /// # Errors
    /// Where a name is no text.
    pub fn indexes_ordered_by(&self, column: i16, operator: Oid) -> Result<Vec<Index>, Report> {
        let index = |oid| {
            with_index(oid, |opened, info| {
                // SAFETY: an index has a first column, with an operator family, and a row of
                // pg_class, whose name ends with NUL.
                unsafe {
                    let family = *(*opened).rd_opfamily;
                    let is_usable = info.indisvalid
                        && *info.indkey.values.as_ptr() == column
                        && pg_sys::get_op_opfamily_sortfamily(operator, family) != Oid::INVALID;
                    let name = (*(*opened).rd_rel).relname.data.as_ptr();
                    is_usable.then(|| Ok(Index { oid, name: decode_c(name)? }))
                }
            })
        };
        self.indexes().into_iter().filter_map(index).collect()
    }

    fn indexes(&self) -> Vec<Oid> {
        // SAFETY: the relation is open; the list is a copy, whose items are OIDs of indexes of it.
        unsafe {
            let list = pg_sys::RelationGetIndexList(self.get());
            let indexes = oids(list).collect();
            pg_sys::list_free(list);
            indexes
        }
    }
}

/// Opens an index for a look at it.
fn with_index<R>(index: Oid, look: impl FnOnce(Relation, &FormData_pg_index) -> R) -> R {
    let lock = pg_sys::AccessShareLock as pg_sys::LOCKMODE;
    // SAFETY: raises an error or gives an open index, which has its row of the catalog.
    unsafe {
        let opened = pg_sys::index_open(index, lock);
        let seen = look(opened, &*(*opened).rd_index);
        pg_sys::index_close(opened, lock);
        seen
    }
}
