//! What a search must know of its table, from the catalog.

#![allow(unsafe_code)] // reads what PostgreSQL caches of the catalog

use pgrx::PgSqlErrorCode::{ERRCODE_UNDEFINED_COLUMN, ERRCODE_WRONG_OBJECT_TYPE};
use pgrx::pg_sys::{self, Oid, Relation};

use super::column_type;
use super::statement::ALIAS;
use crate::pg::encoding::decode_c;
use crate::pg::error::Report;
use crate::pg::relation::{self, Opened, quoted};

/// The table of a search.
pub struct Table {
    opened: Opened,
    /// Its name with its schema, quoted.
    pub name: String,
    columns: Vec<TableColumn>,
}

/// A column.
pub struct TableColumn {
    /// Its number, from 1.
    pub number: i16,
    /// Its name, as the catalog has it, not quoted.
    pub name: String,
    /// Its type; of a domain, the type it is over.
    pub of: Oid,
    /// Whether it is of a domain.
    pub of_domain: bool,
    /// Its collation.
    pub collation: Oid,
}

impl Table {
    /// The table whose rows are of type `row`.
    ///
    /// # Errors
    /// Where the type is not that of the rows of a table.
    pub fn of_rows(row: Oid) -> Result<Table, Report> {
        // SAFETY: a look-up in the catalog, with a type or nothing.
        let oid = unsafe { pg_sys::get_typ_typrelid(row) };
        if oid == Oid::INVALID {
            return Err(not_a_table("the first argument is not of the row type of a table".into()));
        }
        let opened = Opened::open(oid);
        // SAFETY: the relation is open.
        let (kind, name) = unsafe {
            ((*(*opened.get()).rd_rel).relkind as u8, relation::name_in_sql(opened.get())?)
        };
        // What has places of rows that a scan tells and another finds again.
        let kinds =
            [pg_sys::RELKIND_RELATION, pg_sys::RELKIND_PARTITIONED_TABLE, pg_sys::RELKIND_MATVIEW];
        if !kinds.contains(&kind) {
            return Err(not_a_table(format!("{name} is not a table or materialized view")));
        }
        // SAFETY: as above.
        let columns = unsafe { columns(opened.get()) }?;
        Ok(Table { opened, name, columns })
    }

    /// The open relation.
    pub fn relation(&self) -> Relation {
        self.opened.get()
    }

    /// A column by its name.
    ///
    /// # Errors
    /// Where the table has none of this name.
    pub fn column(&self, name: &str) -> Result<&TableColumn, Report> {
        self.columns.iter().find(|column| column.name == name).ok_or_else(|| {
            let message = format!("field {name} not exist in table {}", self.name);
            let names: Vec<&str> = self.columns.iter().map(|column| &*column.name).collect();
            let hint = format!("Its columns are {}.", names.join(", "));
            Report::new(ERRCODE_UNDEFINED_COLUMN, message).hint(hint)
        })
    }

    /// A whole row, as statements write it, whatever its columns are called.
    pub fn row(&self) -> String {
        format!("({ALIAS}.*)::{}", self.name)
    }

    /// The columns of the primary key, quoted; none where there is no key.
    pub fn key(&self) -> Vec<String> {
        let kind = pg_sys::IndexAttrBitmapKind::INDEX_ATTR_BITMAP_PRIMARY_KEY;
        let below = pg_sys::FirstLowInvalidHeapAttributeNumber;
        // SAFETY: the relation is open; the set is a copy.
        let keys = unsafe {
            let set = pg_sys::RelationGetIndexAttrBitmap(self.relation(), kind);
            let next =
                |after| Some(pg_sys::bms_next_member(set, after)).filter(|&member| member >= 0);
            std::iter::successors(next(-1), |&member| next(member)).collect::<Vec<i32>>()
        };
        let is_key = |column: &&TableColumn| keys.contains(&(i32::from(column.number) - below));
        self.columns.iter().filter(is_key).map(|column| quoted(&column.name)).collect()
    }

    /// What filters may name; `schema` is the extension's, quoted.
    ///
    /// # Errors
    /// Where the name of a type is no text.
    pub fn filtered(&self, schema: &str) -> Result<filter::Table, Report> {
        let column =
            |column: &TableColumn| column_type::column(&column.name, column.of, column.of_domain);
        let columns = self.columns.iter().map(column).collect::<Result<Vec<_>, Report>>()?;
        let mut table = filter::Table::new().reader(column_type::read).functions_in(schema);
        table.extend(columns);
        Ok(table)
    }
}

fn not_a_table(message: String) -> Report {
    Report::new(ERRCODE_WRONG_OBJECT_TYPE, message)
        .hint("The first argument tells the table: NULL::table_name.")
}

/// # Safety
/// `relation` is open.
unsafe fn columns(relation: Relation) -> Result<Vec<TableColumn>, Report> {
    // SAFETY: an open relation has a descriptor, which is copied; names end with NUL.
    unsafe {
        let descriptor = pgrx::PgTupleDesc::from_pg_copy((*relation).rd_att);
        let kept = descriptor.iter().filter(|column| !column.attisdropped);
        let column = |column: &pg_sys::FormData_pg_attribute| {
            Ok(TableColumn {
                number: column.attnum,
                name: decode_c(column.attname.data.as_ptr())?,
                of: pg_sys::getBaseType(column.atttypid),
                of_domain: pg_sys::getBaseType(column.atttypid) != column.atttypid,
                collation: column.attcollation,
            })
        };
        kept.map(column).collect()
    }
}
