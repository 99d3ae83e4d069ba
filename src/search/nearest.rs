//! The rows that are nearest, in a total order: ties are broken by the primary key.

use std::fmt::Display;

use super::leg::{Leg, Search};
use super::statement::{ALIAS, FOUND};

impl Search<'_> {
    /// A query for the `limit` nearest rows, and for more that are as near as the last of them where
    /// an index gives the order. Its columns are those of [`Table::selected`](super::table::Table),
    /// and `d`, what rows are ordered by.
    ///
    /// An index knows no ties, so that the key decides only when all of them have been read. Without
    /// an index the key is in the order that is sorted by, which keeps no more than `limit` rows.
    pub fn nearest(&self, leg: &Leg, limit: impl Display) -> String {
        let (scan, by, direction) = (self.scan(leg), &leg.by, leg.direction());
        if leg.is_indexed {
            format!("{scan} ORDER BY {by} {direction} FETCH FIRST {limit} ROWS WITH TIES")
        } else {
            let ties = self.table.ties_of_scan();
            format!("{scan} ORDER BY {by} {direction}{ties} LIMIT {limit}")
        }
    }

    /// A query for exactly these rows, without the first `skip`, in their order.
    pub fn page(&self, leg: &Leg, limit: i64, skip: i64) -> String {
        let (found, order) = (self.nearest(leg, limit), self.order(leg));
        let rest = limit.saturating_sub(skip).max(0);
        format!("SELECT * FROM ({found}) AS {FOUND} ORDER BY {order} LIMIT {rest} OFFSET {skip}")
    }

    /// The statement of a search that has nothing to look for; `columns` is what it gives besides the
    /// row.
    pub fn nothing(&self, columns: &str) -> String {
        let (row, selected, name) =
            (self.table.row(FOUND), self.table.selected(), &self.table.name);
        format!(
            "SELECT {row}, {columns} FROM (SELECT {selected} FROM {name} AS {ALIAS}) AS {FOUND} \
             WHERE false"
        )
    }

    /// The order of rows that were found.
    pub fn order(&self, leg: &Leg) -> String {
        format!("{FOUND}.d {}{}", leg.direction(), self.table.ties(FOUND))
    }

    fn scan(&self, leg: &Leg) -> String {
        let (columns, name) = (self.table.selected(), &self.table.name);
        let Leg { by, condition, .. } = leg;
        format!("SELECT {columns}, {by} AS d FROM {name} AS {ALIAS} WHERE {condition}")
    }
}
