//! What a search must know of its table, from the catalog, and how statements write its columns.
//!
//! A scan reads the table as [`ALIAS`]. The rows that it finds have columns of names that no user
//! chose: `c1` and on, by the numbers of the table's columns, and [`PLACE`].

use pgrx::PgSqlErrorCode::{ERRCODE_UNDEFINED_COLUMN, ERRCODE_WRONG_OBJECT_TYPE};
use pgrx::pg_sys::{self, Oid};

use super::query::ALIAS;
use crate::pg::catalog::{base_type, relation_of_rows, schema_name, type_name};
use crate::pg::error::Report;
use crate::pg::function::{Args, Argument, TypeOf};
use crate::pg::partition::Leaf;
use crate::pg::relation::{Opened, quoted};
use crate::pg::table::{Column, Index};

/// The columns that tell a row from all others: the OID of its table or partition, and its `ctid`.
pub const PLACE: [(&str, Oid); 2] = [("o", pg_sys::OIDOID), ("p", pg_sys::TIDOID)];

/// The table of a search.
pub struct Table {
    pub(super) opened: Opened,
    /// Its name with its schema, quoted.
    pub name: String,
    /// The type of its rows: its OID, and its name.
    pub row_type: (Oid, String),
    /// The schema of the extension: its OID, and its name, quoted.
    pub extension: (Oid, String),
    pub(super) columns: Vec<TableColumn>,
    /// The tables that hold its rows, if some of them are foreign; else none.
    pub(super) leaves: Vec<Leaf>,
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
    /// The cast from the column's type to `of`, if that is a domain; else empty.
    cast: String,
    /// Its collation.
    pub collation: Oid,
}

/// The first argument of all searches: a value of the row type of a table, mostly NULL.
impl Argument<'_> for Table {
    const NULLABLE: bool = true;

    fn take(args: &mut Args) -> Result<Table, Report> {
        let extension = args.callee().schema();
        let name = schema_name(extension)?;
        let name = name.ok_or_else(|| Report::internal("function without a schema"))?;
        let TypeOf(row) = args.take()?;
        Table::of_rows(row, (extension, quoted(&name)))
    }
}

impl Table {
    fn of_rows(row: Oid, extension: (Oid, String)) -> Result<Table, Report> {
        let Some(oid) = relation_of_rows(row) else {
            return Err(not_a_table("the first argument is not of the row type of a table".into()));
        };
        let opened = Opened::open(oid);
        let name = opened.name_in_sql()?;
        // Relations whose rows have a stable tableoid and ctid.
        let kinds = [
            pg_sys::RELKIND_RELATION,
            pg_sys::RELKIND_PARTITIONED_TABLE,
            pg_sys::RELKIND_MATVIEW,
            pg_sys::RELKIND_FOREIGN_TABLE,
        ];
        if !kinds.contains(&opened.kind()) {
            return Err(not_a_table(format!("{name} is not a table or materialized view")));
        }
        let columns = opened.columns()?.into_iter().map(TableColumn::new);
        let columns = columns.collect::<Result<_, _>>()?;
        let mut leaves = opened.leaves();
        if !leaves.iter().any(|leaf| leaf.is_foreign) {
            leaves.clear();
        }
        Ok(Table { opened, name, row_type: (row, type_name(row)?), extension, columns, leaves })
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
        let [(table, _), (tid, _)] = PLACE;
        format!("{columns}{ALIAS}.tableoid AS {table}, {ALIAS}.ctid AS {tid}")
    }

    /// The same columns of a row `owner` that was found.
    pub fn found(&self, owner: &str) -> String {
        format!("{}, {}", self.columns_of(owner), place(owner))
    }

    /// A whole row of the table, made of a row `owner` that was found.
    pub fn row(&self, owner: &str) -> String {
        format!("ROW({})::{}", self.columns_of(owner), self.row_type.1)
    }

    /// The names of its columns in rows that were found, and of the place.
    pub fn found_columns(&self) -> String {
        let columns = self.columns.iter().map(TableColumn::found);
        columns.chain(PLACE.map(|(name, _)| name.into())).collect::<Vec<_>>().join(", ")
    }

    fn columns_of(&self, owner: &str) -> String {
        let columns = self.columns.iter().map(|column| format!("{owner}.{}", column.found()));
        columns.collect::<Vec<_>>().join(", ")
    }

    /// All columns, in their order.
    pub fn columns(&self) -> &[TableColumn] {
        &self.columns
    }

    /// The operators that indexes on a column order by.
    pub fn order_operators(&self, column: &TableColumn) -> Vec<Oid> {
        self.opened.order_operators(column.number)
    }

    /// The indexes on a column that order by an operator.
    ///
    /// # Errors
    /// Where a name is no text.
    pub fn indexes_ordered_by(
        &self,
        column: &TableColumn,
        operator: Oid,
    ) -> Result<Vec<Index>, Report> {
        self.opened.indexes_ordered_by(column.number, operator)
    }
}

impl TableColumn {
    fn new(Column { number, name, of: declared, collation, .. }: Column) -> Result<Self, Report> {
        let of = base_type(declared);
        let of_domain = of != declared;
        let cast = if of_domain { format!("::{}", type_name(of)?) } else { String::new() };
        Ok(Self { number, name, of, of_domain, cast, collation })
    }

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

/// The place of a row `owner` that was found.
pub fn place(owner: &str) -> String {
    PLACE.map(|(name, _)| format!("{owner}.{name}")).join(", ")
}
