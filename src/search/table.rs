//! What a search must know of its table, from the catalog, and how statements write its columns.
//!
//! A scan reads the table as [`ALIAS`]. The rows that it finds have columns of names that no user
//! chose: `c1` and on, by the numbers of the table's columns, and the place of the row, `o` (the OID
//! of its table or partition) and `p`.

#![allow(unsafe_code)] // reads what PostgreSQL caches of the catalog

use pgrx::PgSqlErrorCode::{ERRCODE_UNDEFINED_COLUMN, ERRCODE_WRONG_OBJECT_TYPE};
use pgrx::pg_sys::{self, Oid, Relation};

use super::column_type;
use super::statement::ALIAS;
use crate::pg::catalog::type_name;
use crate::pg::encoding::decode_c;
use crate::pg::error::Report;
use crate::pg::relation::{self, Opened, quoted};

/// The table of a search.
pub struct Table {
    opened: Opened,
    /// Its name with its schema, quoted.
    pub name: String,
    /// The type of its rows: its OID, and its name.
    pub row_type: (Oid, String),
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
    /// What makes a value of its type of one of the column's: a cast where that is a domain.
    cast: String,
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
        let row_type = (row, type_name(row)?);
        Ok(Table { opened, name, row_type, columns })
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

    /// What a scan selects: all columns, and the place of the row.
    pub fn selected(&self) -> String {
        let column = |c: &TableColumn| format!("{ALIAS}.{} AS {}, ", quoted(&c.name), c.found());
        let columns: String = self.columns.iter().map(column).collect();
        format!("{columns}{ALIAS}.tableoid AS o, {ALIAS}.ctid AS p")
    }

    /// The same columns of a row `owner` that was found.
    pub fn found(&self, owner: &str) -> String {
        format!("{}, {owner}.o, {owner}.p", self.columns_of(owner))
    }

    /// A whole row of the table, made of a row `owner` that was found.
    pub fn row(&self, owner: &str) -> String {
        format!("ROW({})::{}", self.columns_of(owner), self.row_type.1)
    }

    /// The names of its columns in rows that were found.
    pub fn found_columns(&self) -> String {
        self.columns.iter().map(TableColumn::found).collect::<Vec<_>>().join(", ")
    }

    fn columns_of(&self, owner: &str) -> String {
        let columns = self.columns.iter().map(|column| format!("{owner}.{}", column.found()));
        columns.collect::<Vec<_>>().join(", ")
    }

    /// What makes an order of rows total, as the last columns of `ORDER BY` in a scan: the primary
    /// key; the place where there is no key.
    pub fn ties_of_scan(&self) -> String {
        let name = |column: &&TableColumn| format!("{ALIAS}.{}", quoted(&column.name));
        let key: Vec<String> = self.key().iter().map(name).collect();
        if key.is_empty() { format!("{ALIAS}.tableoid, {ALIAS}.ctid") } else { key.join(", ") }
    }

    /// The same of rows `owner` that were found.
    pub fn ties(&self, owner: &str) -> String {
        self.tie_columns()
            .iter()
            .map(|column| format!("{owner}.{column}"))
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// The names of these columns in rows that were found.
    pub fn tie_columns(&self) -> Vec<String> {
        let key: Vec<String> = self.key().into_iter().map(TableColumn::found).collect();
        if key.is_empty() { vec!["o".into(), "p".into()] } else { key }
    }

    /// The columns of the primary key, in its order; none where there is no key.
    pub fn key(&self) -> Vec<&TableColumn> {
        let lock = pg_sys::AccessShareLock as pg_sys::LOCKMODE;
        // SAFETY: the relation is open; listing its indexes finds out which is the primary key's. An
        // index that is open has as many numbers of columns as its row of the catalog says.
        let numbers = unsafe {
            pg_sys::list_free(pg_sys::RelationGetIndexList(self.relation()));
            let index = (*self.relation()).rd_pkindex;
            if index == Oid::INVALID {
                return Vec::new();
            }
            let opened = pg_sys::index_open(index, lock);
            let info = &*(*opened).rd_index;
            let count = usize::try_from(info.indnkeyatts).unwrap_or(0);
            let numbers = info.indkey.values.as_slice(count).to_vec();
            pg_sys::index_close(opened, lock);
            numbers
        };
        let column = |&number: &i16| self.columns.iter().find(|column| column.number == number);
        numbers.iter().filter_map(column).collect()
    }

    /// Whether parts of it may lie on foreign servers, which know an order by distance, but not by the
    /// place of rows: so is no table that has a key.
    pub fn may_be_foreign(&self) -> bool {
        // SAFETY: the relation is open.
        let kind = unsafe { (*(*self.relation()).rd_rel).relkind } as u8;
        kind == pg_sys::RELKIND_PARTITIONED_TABLE && self.key().is_empty()
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

impl TableColumn {
    /// Its name in rows that were found.
    pub fn found(&self) -> String {
        format!("c{}", self.number)
    }

    /// Its value in a scan, of the type [`Self::of`] and no domain.
    pub fn scanned_value(&self) -> String {
        self.plain(format!("{ALIAS}.{}", quoted(&self.name)))
    }

    /// Its value in rows `owner` that were found, of the type [`Self::of`] and no domain.
    pub fn found_value(&self, owner: &str) -> String {
        self.plain(format!("{owner}.{}", self.found()))
    }

    fn plain(&self, value: String) -> String {
        format!("({value}){}", self.cast)
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
            let of = pg_sys::getBaseType(column.atttypid);
            let of_domain = of != column.atttypid;
            let cast = if of_domain { format!("::{}", type_name(of)?) } else { String::new() };
            let name = decode_c(column.attname.data.as_ptr())?;
            Ok(TableColumn {
                number: column.attnum,
                name,
                of,
                of_domain,
                cast,
                collation: column.attcollation,
            })
        };
        kept.map(column).collect()
    }
}
