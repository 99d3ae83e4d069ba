//! Reads rows nearest first, and no more of them than are used.

use std::collections::VecDeque;

use memory::Grow;
use pgrx::pg_sys::Oid;

use super::grouping::Grouping;
use super::leg::{Leg, Search};
use super::nearest::Limit;
use super::parameters::Parameters;
use super::query::{FOUND, Select};
use super::table::{PLACE, place};
use super::ties::Key;
use crate::pg::error::Report;
use crate::pg::spi::{Connection, Cursor};
use crate::pg::value::{Order, OwnedValue, SqlValue};

/// A row that was found.
pub struct Row {
    /// What the query selects: the columns that [`Search::reading`] lists.
    values: Vec<Option<OwnedValue>>,
}

/// The columns of a row that is read; those of its key follow.
const HIT: usize = 0;
const SCORE: usize = 1;
const DISTANCE: usize = 2;
const TABLE: usize = 3;
const TID: usize = 4;
const GROUP: usize = 5;
const KEY: usize = 6;

impl Row {
    /// The whole row of the table.
    pub fn hit(&self) -> Option<SqlValue<'_>> {
        self.value(HIT)
    }

    /// Milvus's score.
    pub fn score(&self) -> f32 {
        self.sql_score().and_then(SqlValue::real).unwrap_or(f32::NAN)
    }

    /// The same as a value of SQL.
    pub fn sql_score(&self) -> Option<SqlValue<'_>> {
        self.value(SCORE)
    }

    /// Its [`PLACE`].
    pub fn place(&self) -> [Option<SqlValue<'_>>; 2] {
        [self.value(TABLE), self.value(TID)]
    }

    /// The value that it is grouped by.
    pub fn group(&self) -> Option<SqlValue<'_>> {
        self.value(GROUP)
    }

    /// Takes this value out of the row.
    pub fn take_group(&mut self) -> Option<OwnedValue> {
        self.values.get_mut(GROUP)?.take()
    }

    fn distance(&self) -> f64 {
        self.value(DISTANCE).and_then(SqlValue::double).unwrap_or(f64::NAN)
    }

    fn value(&self, column: usize) -> Option<SqlValue<'_>> {
        self.values.get(column)?.as_ref().map(OwnedValue::value)
    }

    fn key(&self) -> &[Option<OwnedValue>] {
        self.values.get(KEY..).unwrap_or_default()
    }

    fn is_as_near_as(&self, other: &Row) -> bool {
        self.distance().total_cmp(&other.distance()).is_eq() || self.distance() == other.distance()
    }
}

impl Search {
    /// The statement whose rows a [`RowReader`] reads.
    pub fn reading(&self, leg: &Leg, grouping: Option<&Grouping>, limit: &Limit) -> String {
        let group = grouping.map_or("NULL", |grouping| &grouping.found_value);
        let Key { columns, is_unique } = self.table.key();
        let key = columns.iter().map(|column| column.found_value(FOUND));
        let key: Vec<String> = key.chain((!is_unique).then(|| place(FOUND))).collect();
        Select::new(self.table.row(FOUND))
            .column(&leg.score)
            .column(format!("{FOUND}.d::pg_catalog.float8"))
            .column(place(FOUND))
            .column(group)
            .column(key.join(", "))
            .of_query(self.nearest(leg, limit))
            .to_string()
    }

    fn tie_order(&self) -> Order {
        let Key { columns, is_unique } = self.table.key();
        let place = PLACE.iter().filter(|_| !is_unique).map(|&(_, of)| (of, Oid::INVALID));
        Order::of(columns.iter().map(|column| (column.of, column.collation)).chain(place))
    }
}

/// Reads the rows of a leg, nearest first. Ties are broken by the primary key.
pub struct RowReader<'a> {
    cursor: Cursor<'a>,
    order: Order,
    /// Rows that were fetched and not yet returned.
    fetched: VecDeque<Row>,
    /// The rows before them, all at one distance, in the order of the key.
    tied: VecDeque<Row>,
    read: i64,
    limit: i64,
    at_end: bool,
}

impl<'a> RowReader<'a> {
    /// Begins to read; the statement is planned for `limit` rows.
    ///
    /// # Errors
    /// Where PostgreSQL refuses the statement.
    pub fn begin(
        connection: &'a Connection,
        search: &Search,
        leg: &Leg,
        grouping: Option<&Grouping>,
        limit: i64,
        parameters: &Parameters,
    ) -> Result<Self, Report> {
        let mut parameters = parameters.clone();
        let text = search.reading(leg, grouping, &Limit::parameter(limit, &mut parameters));
        let cursor = connection.open(&text, &parameters.values)?;
        let order = search.tie_order();
        let (fetched, tied) = (VecDeque::new(), VecDeque::new());
        Ok(Self { cursor, order, fetched, tied, read: 0, limit, at_end: false })
    }

    /// The next row; none at the end. At least `wanted` rows will be read.
    ///
    /// # Errors
    /// If there is no memory for the rows at one distance.
    pub fn next(&mut self, wanted: i64) -> Result<Option<Row>, Report> {
        if self.tied.is_empty() {
            let mut tied = Vec::new();
            if let Some(first) = self.take(wanted)? {
                tied.try_push(first)?;
                while let Some(next) = self.take_if_tied(&tied)? {
                    tied.try_push(next)?;
                }
            }
            tied.sort_by(|a, b| self.order.compare(a.key(), b.key()));
            self.tied = tied.into();
        }
        Ok(self.tied.pop_front())
    }

    /// How many rows have been read.
    pub fn read(&self) -> i64 {
        self.read
    }

    /// Whether the last row read was the last there is, rather than the last of the limit.
    pub fn is_exhausted(&self) -> bool {
        self.read < self.limit
    }

    /// The next row, if it is at the same distance.
    fn take_if_tied(&mut self, tied: &[Row]) -> Result<Option<Row>, Report> {
        let Some(next) = self.take(1)? else { return Ok(None) };
        if tied.first().is_some_and(|first| next.is_as_near_as(first)) {
            return Ok(Some(next));
        }
        self.fetched.push_front(next);
        Ok(None)
    }

    fn take(&mut self, wanted: i64) -> Result<Option<Row>, Report> {
        if self.fetched.is_empty() && !self.at_end {
            let count = wanted.max(self.read / 8).max(1);
            self.fetched
                .try_extend(self.cursor.fetch(count).rows().map(|values| Row { values }))?;
            self.at_end = self.fetched.is_empty();
            self.read = self.read.saturating_add_unsigned(self.fetched.len() as u64);
        }
        Ok(self.fetched.pop_front())
    }
}
