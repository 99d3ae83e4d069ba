//! `range_search`: the rows within a distance.

use memory::Grow;
use pgrx::PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE;

use super::leg::{Leg, Scale, Search};
use super::nearest::Limit;
use super::reader::{Reader, Row};
use super::statement::Parameters;
use crate::pg::error::Report;
use crate::pg::function::{Args, Argument};
use crate::pg::spi::Connection;
use crate::ranking::bound::nearest;

/// Rows that are read at once, at first; as many as before each time.
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
    const COUNT: usize = 2;
    const NULLABLE: bool = true;

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
    pub fn statement(&self) -> String {
        self.search.reading(self.leg, None, &Limit::fixed(self.wanted()))
    }

    /// The rows between the bounds, nearest first.
    ///
    /// # Errors
    /// Where PostgreSQL refuses the statement.
    pub fn rows(&self, parameters: &Parameters) -> Result<Vec<Row>, Report> {
        let connection = Connection::begin()?;
        let (_, skip) = self.search.options.page;
        let mut limit = self.wanted();
        loop {
            if let Some(mut rows) = self.within(&connection, limit, parameters)? {
                rows.drain(..rows.len().min(usize::try_from(skip).unwrap_or(usize::MAX)));
                return Ok(rows);
            }
            limit = limit.saturating_mul(READ_MORE);
        }
    }

    fn wanted(&self) -> i64 {
        let (k, skip) = self.search.options.page;
        self.leg.k.unwrap_or(i64::MAX).min(k.saturating_add(skip))
    }

    /// The wanted rows between the bounds; none where the nearest `limit` rows are too few to tell.
    fn within(
        &self,
        connection: &Connection,
        limit: i64,
        parameters: &Parameters,
    ) -> Result<Option<Vec<Row>>, Report> {
        let wanted = usize::try_from(self.wanted()).unwrap_or(usize::MAX);
        let mut reader = Reader::begin(connection, self.search, self.leg, None, limit, parameters)?;
        let mut rows = Vec::new();
        while rows.len() < wanted {
            let Some(row) = reader.next(READ_AT_ONCE.max(reader.read()))? else {
                return Ok(reader.is_exhausted().then_some(rows));
            };
            if self.range.ends_before(row.score(), self.leg.scale) {
                break;
            }
            if !self.range.leaves_out(row.score(), self.leg.scale) {
                rows.try_push(row)?;
            }
        }
        Ok(Some(rows))
    }
}
