//! The rows of groups, read nearest first and no further than is needed to fill the groups.

use memory::Grow;

use super::grouping::Grouping;
use super::leg::{Leg, Search};
use super::nearest::Limit;
use super::parameters::Parameters;
use super::reader::{Row, RowReader};
use crate::pg::error::Report;
use crate::pg::numbering::Numbering;
use crate::pg::spi::Connection;

/// Rows that are read first, for each row wanted.
const READ_FIRST: i64 = 2;
/// Factor by which this number grows if the rows do not fill the groups.
const READ_MORE: i64 = 8;

/// Reads groups of the rows that a leg finds.
pub struct GroupReader<'a> {
    /// The search.
    pub search: &'a Search,
    /// Its leg.
    pub leg: &'a Leg,
    /// What its rows are grouped by.
    pub grouping: &'a Grouping,
    /// How many groups.
    pub wanted: i64,
}

/// Groups that are being filled.
struct Groups {
    rows: Vec<Vec<Row>>,
    wanted: usize,
    size: usize,
}

impl<'a> GroupReader<'a> {
    /// Reads as many groups as the search wants.
    pub fn new(search: &'a Search, leg: &'a Leg, grouping: &'a Grouping) -> Self {
        GroupReader { search, leg, grouping, wanted: search.wanted(leg) }
    }

    /// The groups, nearest first, and the nearest rows of each. Unless the group size is strict,
    /// the search ends as soon as there are enough groups, some of which may then have fewer rows
    /// than exist.
    ///
    /// # Errors
    /// Where PostgreSQL refuses the statement.
    pub fn groups(&self, parameters: &Parameters) -> Result<Vec<Vec<Row>>, Report> {
        let connection = Connection::begin()?;
        let mut limit = self.first_limit();
        loop {
            let (mut groups, ended) = self.nearest(&connection, limit, parameters)?;
            if ended || groups.missing() == 0 {
                if self.grouping.sizes.strict {
                    self.fill(&connection, &mut groups, parameters)?;
                }
                return Ok(groups.rows);
            }
            limit = limit.saturating_mul(READ_MORE);
        }
    }

    /// The statement whose rows are read.
    pub fn statement(&self) -> String {
        self.search.reading(self.leg, Some(self.grouping), &Limit::fixed(self.first_limit()))
    }

    fn first_limit(&self) -> i64 {
        let sizes = &self.grouping.sizes;
        let places =
            if sizes.strict { self.wanted.saturating_mul(sizes.size) } else { self.wanted };
        places.saturating_mul(READ_FIRST)
    }

    /// Groups out of the nearest `limit` rows, and whether there were no more rows.
    fn nearest(
        &self,
        connection: &Connection,
        limit: i64,
        parameters: &Parameters,
    ) -> Result<(Groups, bool), Report> {
        let count = |count: i64| usize::try_from(count).unwrap_or(usize::MAX);
        let (strict, size) = (self.grouping.sizes.strict, count(self.grouping.sizes.size));
        let mut groups = Groups { rows: Vec::new(), wanted: count(self.wanted), size };
        let mut numbering = Numbering::new(self.grouping.of, connection);
        let mut reader = self.reader(connection, self.leg, limit, parameters)?;
        loop {
            // One row fills one place, so at least as many rows are needed as places are free.
            let needed = if strict { groups.missing_rows() } else { groups.missing() };
            if needed == 0 {
                return Ok((groups, false));
            }
            let Some(row) = reader.next(i64::try_from(needed).unwrap_or(i64::MAX))? else {
                return Ok((groups, reader.is_exhausted()));
            };
            let group = numbering.number(row.group())?;
            groups.add(row, group)?;
        }
    }

    fn reader<'c>(
        &self,
        connection: &'c Connection,
        leg: &Leg,
        limit: i64,
        parameters: &Parameters,
    ) -> Result<RowReader<'c>, Report> {
        RowReader::begin(connection, self.search, leg, Some(self.grouping), limit, parameters)
    }

    /// Looks up the rows of incomplete groups, group by group. An index on the grouping column
    /// makes that cheap, while reading on to the last row of the rarest group would read most of
    /// the table.
    fn fill(
        &self,
        connection: &Connection,
        groups: &mut Groups,
        parameters: &Parameters,
    ) -> Result<(), Report> {
        let Grouping { scanned_value: value, of, sizes, .. } = self.grouping;
        let short = groups.rows.iter_mut().filter(|rows| rows.len() < groups.size);
        for rows in short {
            let Some(first) = rows.first_mut() else { continue };
            let (mut parameters, mut leg) = (parameters.clone(), self.leg.clone());
            leg.conditions.push(match first.take_group() {
                None => format!("{value} IS NULL"),
                Some(group) => of.equal(value, &parameters.value(group)?)?,
            });
            let mut reader = self.reader(connection, &leg, sizes.size, &parameters)?;
            let mut found = Vec::new();
            while let Some(row) = reader.next(sizes.size)?.filter(|_| found.len() < groups.size) {
                found.try_push(row)?;
            }
            drop(reader);
            *rows = found;
        }
        Ok(())
    }
}

impl Groups {
    fn add(&mut self, row: Row, group: usize) -> Result<(), Report> {
        if group == self.rows.len() && group < self.wanted {
            self.rows.try_push(Vec::new())?;
        }
        // Groups beyond the wanted ones have larger numbers.
        if let Some(rows) = self.rows.get_mut(group).filter(|rows| rows.len() < self.size) {
            rows.try_push(row)?;
        }
        Ok(())
    }

    fn missing(&self) -> usize {
        self.wanted - self.rows.len()
    }

    fn missing_rows(&self) -> usize {
        let places: usize = self.rows.iter().map(|rows| self.size - rows.len()).sum();
        places.saturating_add(self.missing().saturating_mul(self.size))
    }
}
