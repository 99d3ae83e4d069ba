//! The rows of groups, read nearest first and no further than is needed to fill the groups.

use super::grouping::Grouping;
use super::leg::{Leg, Search};
use super::statement::{ALIAS, Parameters};
use crate::pg::error::Report;
use crate::pg::numbering::Numbering;
use crate::pg::spi::{Connection, Place};

/// Rows that are read, at first, for each that is asked for.
const READ_FIRST: i64 = 2;
/// How many times more are read where they do not suffice.
const READ_MORE: i64 = 8;

/// Reads groups of the rows that a leg finds.
pub struct Stream<'a> {
    /// The search.
    pub search: &'a Search<'a>,
    /// Its leg.
    pub leg: &'a Leg,
    /// What its rows are grouped by.
    pub grouping: &'a Grouping,
    /// How many groups.
    pub wanted: i64,
}

/// Groups that are being filled.
struct Groups {
    rows: Vec<Vec<Place>>,
    wanted: usize,
    size: usize,
    /// The group of rows whose value is NULL.
    null: Option<usize>,
}

impl Stream<'_> {
    /// The groups, nearest first, and the nearest rows of each. Where groups are not strict, the
    /// search ends as soon as there are as many as wanted: they may have fewer rows than exist.
    ///
    /// # Errors
    /// Where PostgreSQL refuses the statement.
    pub fn groups(&self, parameters: &Parameters) -> Result<Vec<Vec<Place>>, Report> {
        let connection = Connection::begin()?;
        let mut limit = self.usual();
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
        self.ordered("", self.usual())
    }

    fn usual(&self) -> i64 {
        let sizes = &self.grouping.sizes;
        let places =
            if sizes.strict { self.wanted.saturating_mul(sizes.size) } else { self.wanted };
        places.saturating_mul(READ_FIRST)
    }

    fn ordered(&self, condition: &str, limit: i64) -> String {
        let (key, name) = (&self.grouping.column, &self.search.table.name);
        let (leg, direction) = (self.leg, self.leg.direction());
        format!(
            "SELECT {ALIAS}.tableoid, {ALIAS}.ctid, {ALIAS}.{key} FROM {name} AS {ALIAS} \
             WHERE {}{condition} ORDER BY {} {direction} LIMIT {limit}",
            leg.condition, leg.by
        )
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
        let mut groups = Groups { rows: Vec::new(), wanted: count(self.wanted), size, null: None };
        let mut numbering = Numbering::new(self.grouping.of, connection);
        let mut cursor = connection.open(&self.ordered("", limit), &parameters.values)?;
        let mut read = 0;
        while read < limit {
            // A row fills one place: as many as are missing are needed for certain.
            let needed = if strict { groups.missing_rows() } else { groups.missing() };
            if needed == 0 {
                break;
            }
            let needed = i64::try_from(needed).unwrap_or(i64::MAX);
            let found =
                cursor.fetch(needed.max(read / 8).min(limit - read)).numbered(&mut numbering)?;
            groups.null = numbering.null();
            if found.is_empty() {
                return Ok((groups, true));
            }
            read = read.saturating_add_unsigned(found.len() as u64);
            for (place, group) in found {
                groups.add(place, group);
                if !strict && groups.missing() == 0 {
                    return Ok((groups, false));
                }
            }
        }
        Ok((groups, false))
    }

    /// Looks up the rows of groups that are short, group by group: an index on their column makes
    /// that cheap, where going on to the last row of the rarest group would read most of the table.
    fn fill(
        &self,
        connection: &Connection,
        groups: &mut Groups,
        parameters: &Parameters,
    ) -> Result<(), Report> {
        let Grouping { column: key, of, sizes } = self.grouping;
        let (equals, name) = (of.equality()?, &self.search.table.name);
        for (number, rows) in groups.rows.iter_mut().enumerate() {
            let Some(&first) = rows.first().filter(|_| rows.len() < groups.size) else { continue };
            let mut parameters = parameters.clone();
            let condition = if groups.null == Some(number) {
                format!(" AND {ALIAS}.{key} IS NULL")
            } else {
                let at = parameters.place(first);
                format!(" AND {ALIAS}.{key} {equals} (SELECT g.{key} FROM {name} AS g WHERE {at})")
            };
            let text = self.ordered(&condition, sizes.size);
            let found = connection.select(&text, &parameters.values)?;
            let found = found.numbered(&mut Numbering::new(*of, connection))?;
            *rows = found.into_iter().map(|(place, _)| place).collect();
        }
        Ok(())
    }
}

impl Groups {
    fn add(&mut self, place: Place, group: usize) {
        if group == self.rows.len() && group < self.wanted {
            self.rows.push(Vec::new());
        }
        // Numbers of groups that come too late lie beyond.
        if let Some(rows) = self.rows.get_mut(group).filter(|rows| rows.len() < self.size) {
            rows.push(place);
        }
    }

    fn missing(&self) -> usize {
        self.wanted - self.rows.len()
    }

    fn missing_rows(&self) -> usize {
        let places: usize = self.rows.iter().map(|rows| self.size - rows.len()).sum();
        places.saturating_add(self.missing().saturating_mul(self.size))
    }
}
