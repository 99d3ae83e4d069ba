//! What decides between rows at the same distance: the primary key, or the place.

use super::query::ALIAS;
use super::table::{PLACE, Table, TableColumn};
use crate::pg::numbering::Type;
use crate::pg::relation::quoted;

/// The columns that break ties.
pub struct Key<'a> {
    /// The columns.
    pub columns: Vec<&'a TableColumn>,
    /// Whether they tell a row from all others.
    pub is_unique: bool,
}

impl Table {
    /// What makes an order of rows total, as the last columns of `ORDER BY` in a scan: see
    /// [`Self::tie_columns`].
    pub fn ties_of_scan(&self) -> String {
        self.ties_of(&["tableoid", "ctid"])
    }

    /// The same in a scan of one of its [`Self::parts`].
    pub fn ties_of_part(&self) -> String {
        self.ties_of(&["ctid"])
    }

    fn ties_of(&self, place: &[&str]) -> String {
        let Key { columns, is_unique } = self.key();
        let place = place.iter().filter(|_| !is_unique).map(|name| format!("{ALIAS}.{name}"));
        let name = |column: &TableColumn| format!("{ALIAS}.{}", quoted(&column.name));
        columns.into_iter().map(name).chain(place).collect::<Vec<_>>().join(", ")
    }

    /// The same of rows `owner` that were found.
    pub fn ties(&self, owner: &str) -> String {
        let columns = self.tie_columns();
        columns.iter().map(|column| format!("{owner}.{column}")).collect::<Vec<_>>().join(", ")
    }

    /// The names of the columns that break ties, in rows that were found: the key, and the place unless
    /// the key is unique.
    pub fn tie_columns(&self) -> Vec<String> {
        let Key { columns, is_unique } = self.key();
        let place = PLACE.iter().filter(|_| !is_unique).map(|&(name, _)| name.into());
        columns.into_iter().map(TableColumn::found).chain(place).collect()
    }

    /// The columns of the primary key, in its order. A table with foreign partitions cannot have one:
    /// there, the columns that it is divided by. Heirs of a table may repeat its key.
    pub fn key(&self) -> Key<'_> {
        let column = |&number: &i16| self.columns.iter().find(|column| column.number == number);
        let key = self.opened.primary_key();
        let is_unique = !key.is_empty() && !self.opened.has_heirs();
        if !self.is_foreign() {
            return Key { columns: key.iter().filter_map(column).collect(), is_unique };
        }
        let numbers = if key.is_empty() { self.opened.partition_key() } else { key };
        let columns = numbers
            .iter()
            .filter_map(column)
            .filter(|column| Type::find(column.of, column.collation).is_some());
        Key { columns: columns.collect(), is_unique }
    }
}
