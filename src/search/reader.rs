//! Rows read one after the other, nearest first, no further than they are wanted.

#![allow(unsafe_code)] // values as they are in memory

use std::collections::VecDeque;

use memory::Grow;
use pgrx::pg_sys::{self, Datum, Oid};

use super::grouping::Grouping;
use super::leg::{Leg, Search};
use super::nearest::Limit;
use super::statement::{FOUND, Parameters};
use crate::pg::error::Report;
use crate::pg::kept::{Kept, Order};
use crate::pg::spi::{Connection, Cursor};

/// A row that was found.
pub struct Row {
    /// What the query selects: the columns that [`Search::reading`] lists.
    values: Vec<Option<Kept>>,
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
    /// The whole row, its score, its table, its place there, and its value of the column that is
    /// grouped by.
    pub fn hit(&self) -> Option<Datum> {
        self.value(HIT)
    }

    /// How near it is, as Milvus reports it.
    pub fn score(&self) -> f32 {
        // The lower half of the datum is the number.
        self.value(SCORE).map_or(f32::NAN, |score| f32::from_bits(score.value() as u32))
    }

    /// The score as SQL has it.
    pub fn score_datum(&self) -> Option<Datum> {
        self.value(SCORE)
    }

    /// Table and place in it.
    pub fn place(&self) -> [Option<Datum>; 2] {
        [self.value(TABLE), self.value(TID)]
    }

    /// The value that it is grouped by.
    pub fn group(&self) -> Option<Datum> {
        self.value(GROUP)
    }

    fn distance(&self) -> f64 {
        self.value(DISTANCE).map_or(f64::NAN, |value| f64::from_bits(value.value() as u64))
    }

    fn value(&self, column: usize) -> Option<Datum> {
        self.values.get(column)?.as_ref().map(Kept::datum)
    }

    fn key(&self) -> &[Option<Kept>] {
        self.values.get(KEY..).unwrap_or_default()
    }

    fn is_as_near_as(&self, other: &Row) -> bool {
        self.distance().total_cmp(&other.distance()).is_eq() || self.distance() == other.distance()
    }
}

impl Search<'_> {
    /// The statement whose rows a [`Reader`] reads.
    pub fn reading(&self, leg: &Leg, grouping: Option<&Grouping>, limit: &Limit) -> String {
        let near = self.nearest(leg, limit);
        let (row, score) = (self.table.row(FOUND), &leg.score);
        let group = grouping.map_or("NULL".into(), |grouping| grouping.found_value.clone());
        let key = self.table.key();
        let key: Vec<String> = key.iter().map(|column| column.found_value(FOUND)).collect();
        let key = if key.is_empty() { self.table.ties(FOUND) } else { key.join(", ") };
        format!(
            "SELECT {row}, {score}, {FOUND}.d::pg_catalog.float8, {FOUND}.o, {FOUND}.p, {group}, {key} \
             FROM ({near}) AS {FOUND}"
        )
    }

    fn tie_order(&self) -> Order {
        let key = self.table.key();
        if key.is_empty() {
            return Order::of([pg_sys::OIDOID, pg_sys::TIDOID].map(|of| (of, Oid::INVALID)));
        }
        Order::of(key.iter().map(|column| (column.of, column.collation)))
    }
}

/// Reads the rows of a leg, nearest first. Those as near as each other come by their key.
pub struct Reader<'a> {
    cursor: Cursor<'a>,
    order: Order,
    /// Rows as they came.
    came: VecDeque<Row>,
    /// Rows that are as near as each other, in order.
    ready: VecDeque<Row>,
    read: i64,
    limit: i64,
    at_end: bool,
}

impl<'a> Reader<'a> {
    /// Begins to read; the statement is planned for `limit` rows.
    ///
    /// # Errors
    /// Where PostgreSQL refuses the statement.
    pub fn begin(
        connection: &'a Connection,
        search: &Search<'_>,
        leg: &Leg,
        grouping: Option<&Grouping>,
        limit: i64,
        parameters: &Parameters,
    ) -> Result<Self, Report> {
        let mut parameters = parameters.clone();
        let text = search.reading(leg, grouping, &Limit::parameter(limit, &mut parameters));
        let cursor = connection.open(&text, &parameters.values)?;
        let order = search.tie_order();
        let (came, ready) = (VecDeque::new(), VecDeque::new());
        Ok(Self { cursor, order, came, ready, read: 0, limit, at_end: false })
    }

    /// The next row; none at the end. `wanted` is how many will be wanted for certain.
    ///
    /// # Errors
    /// Where there is no memory for rows that are alike.
    pub fn next(&mut self, wanted: i64) -> Result<Option<Row>, Report> {
        if self.ready.is_empty() {
            let mut alike = Vec::new();
            if let Some(first) = self.take(wanted)? {
                alike.try_push(first)?;
                while let Some(next) = self.take_if_alike(&alike)? {
                    alike.try_push(next)?;
                }
            }
            alike.sort_by(|a, b| self.order.compare(a.key(), b.key()));
            self.ready = alike.into();
        }
        Ok(self.ready.pop_front())
    }

    /// How many rows have been read.
    pub fn read(&self) -> i64 {
        self.read
    }

    /// Whether, at the end, there are no more rows than were read.
    pub fn is_exhausted(&self) -> bool {
        self.read < self.limit
    }

    /// The row that comes next, if it is as near as the others.
    fn take_if_alike(&mut self, alike: &[Row]) -> Result<Option<Row>, Report> {
        let Some(next) = self.take(1)? else { return Ok(None) };
        if alike.first().is_some_and(|first| next.is_as_near_as(first)) {
            return Ok(Some(next));
        }
        self.came.push_front(next);
        Ok(None)
    }

    fn take(&mut self, wanted: i64) -> Result<Option<Row>, Report> {
        if self.came.is_empty() && !self.at_end {
            let count = wanted.max(self.read / 8).max(1);
            self.came.try_extend(self.cursor.fetch(count).rows().map(|values| Row { values }))?;
            self.at_end = self.came.is_empty();
            self.read = self.read.saturating_add_unsigned(self.came.len() as u64);
        }
        Ok(self.came.pop_front())
    }
}
