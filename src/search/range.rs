//! `range_search`: the rows within a distance.

use memory::Grow;
use pgrx::PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE;

use super::leg::{Leg, Scale, Search};
use super::statement::{ALIAS, Parameters};
use crate::pg::error::Report;
use crate::pg::function::{Args, Argument};
use crate::pg::spi::{Connection, Place};
use crate::ranking::bound::nearest;

/// Rows that are read at once, at first; twice as many each time.
const READ_AT_ONCE: i64 = 16;
/// How many times more a statement may read that has read what it was planned for.
const READ_MORE: i64 = 8;

/// Bounds of scores. Of distances, `range_filter <= score < radius`; of similarities,
/// `radius < score <= range_filter`.
pub struct Range {
    radius: f32,
    range_filter: Option<f32>,
}

impl Argument<'_> for Range {
    fn take(args: &mut Args) -> Result<Range, Report> {
        let radius = args.take::<Option<f64>>()?.map(nearest);
        let range_filter = args.take::<Option<f64>>()?.map(nearest);
        let radius = radius.ok_or_else(|| wrong("radius is missing".into()))?;
        if radius.is_nan() || range_filter.is_some_and(f32::is_nan) {
            return Err(wrong("radius and range_filter must be numbers".into()));
        }
        Ok(Range { radius, range_filter })
    }
}

impl Range {
    /// # Errors
    /// Where no score can lie between the bounds.
    fn check(&self, scale: Scale) -> Result<(), Report> {
        let Range { radius, range_filter: Some(inner) } = *self else { return Ok(()) };
        let (is_right, relation) = if scale.is_similarity() {
            (inner > radius, "greater")
        } else {
            (inner < radius, "less")
        };
        if is_right {
            return Ok(());
        }
        let name = scale.name();
        Err(wrong(format!(
            "metric type ({name}), range_filter({inner}) must be {relation} than radius({radius})"
        )))
    }

    fn ends_before(&self, score: f32, scale: Scale) -> bool {
        let inside = if scale.is_similarity() { score > self.radius } else { score < self.radius };
        !inside
    }

    fn leaves_out(&self, score: f32, scale: Scale) -> bool {
        self.range_filter
            .is_some_and(|inner| if scale.is_similarity() { score > inner } else { score < inner })
    }
}

fn wrong(message: String) -> Report {
    Report::new(ERRCODE_INVALID_PARAMETER_VALUE, message).hint(
        "Of distances (L2, HAMMING, JACCARD), range_filter <= score < radius; of similarities \
         (IP, COSINE), radius < score <= range_filter.",
    )
}

/// A search that ends at a bound.
pub struct Ranged<'a> {
    search: &'a Search<'a>,
    leg: &'a Leg,
    range: Range,
}

impl<'a> Ranged<'a> {
    /// A search of the rows of a leg.
    ///
    /// # Errors
    /// Where no row can be found.
    pub fn new(search: &'a Search<'a>, leg: &'a Leg, range: Range) -> Result<Self, Report> {
        range.check(leg.scale)?;
        Ok(Self { search, leg, range })
    }

    /// The statement that is read, nearest rows first, until a row lies beyond the bound.
    pub fn reads(&self) -> String {
        self.ordered(self.wanted())
    }

    /// Reads it. The statement that is returned gives rows and scores, nearest first.
    ///
    /// # Errors
    /// Where PostgreSQL refuses the statement.
    pub fn statement(&self, parameters: &mut Parameters) -> Result<String, Report> {
        let connection = Connection::begin()?;
        let mut limit = self.wanted();
        let mut rows = loop {
            match self.within(&connection, limit, parameters)? {
                Some(rows) => break rows,
                None => limit = limit.saturating_mul(READ_MORE),
            }
        };
        let (table, (_, skip)) = (self.search.table, self.search.options.page);
        rows.drain(..rows.len().min(usize::try_from(skip).unwrap_or(usize::MAX)));
        let found = parameters.groups(&[rows], 1);
        Ok(format!(
            "SELECT {row}, {score} FROM {found} \
             JOIN {name} AS {ALIAS} ON {ALIAS}.ctid OPERATOR(pg_catalog.=) u.c \
             AND {ALIAS}.tableoid OPERATOR(pg_catalog.=) u.o ORDER BY u.n",
            row = table.row(),
            score = self.leg.score,
            name = table.name,
        ))
    }

    fn wanted(&self) -> i64 {
        let (k, skip) = self.search.options.page;
        self.leg.k.unwrap_or(i64::MAX).min(k.saturating_add(skip))
    }

    fn ordered(&self, limit: i64) -> String {
        let Leg { by, score, condition, .. } = self.leg;
        let (name, direction) = (&self.search.table.name, self.leg.direction());
        format!(
            "SELECT {ALIAS}.tableoid, {ALIAS}.ctid, {score} FROM {name} AS {ALIAS} \
             WHERE {condition} ORDER BY {by} {direction} LIMIT {limit}"
        )
    }

    /// The wanted rows between the bounds; none where the nearest `limit` rows are too few to tell.
    fn within(
        &self,
        connection: &Connection,
        limit: i64,
        parameters: &Parameters,
    ) -> Result<Option<Vec<Place>>, Report> {
        let wanted = usize::try_from(self.wanted()).unwrap_or(usize::MAX);
        let mut cursor = connection.open(&self.ordered(limit), &parameters.values)?;
        let (mut rows, mut read, mut count) = (Vec::new(), 0, READ_AT_ONCE);
        while read < limit {
            let found = cursor.fetch(count.min(limit - read)).scored()?;
            if found.is_empty() {
                return Ok(Some(rows));
            }
            read = read.saturating_add_unsigned(found.len() as u64);
            count = count.saturating_mul(2);
            for (place, score) in found {
                if self.range.ends_before(score, self.leg.scale) || rows.len() == wanted {
                    return Ok(Some(rows));
                }
                if !self.range.leaves_out(score, self.leg.scale) {
                    rows.try_push(place)?;
                }
            }
        }
        Ok((rows.len() == wanted).then_some(rows))
    }
}
