//! `range_search`: the rows within a distance.

use memory::Grow;
use pgrx::PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE;

use super::leg::{Leg, Search};
use super::nearest::Limit;
use super::parameters::Parameters;
use super::reader::{Row, RowReader};
use super::scores::ScoreType;
use crate::pg::error::Report;
use crate::pg::function::{Args, Argument};
use crate::pg::spi::Connection;
use crate::ranking::bound::nearest;

/// Rows that are read at once, at first; as many as before each time.
const READ_AT_ONCE: i64 = 16;
/// How many times more a statement may read that has read what it was planned for.
const READ_MORE: i64 = 8;

/// The bounds of a range search. Of distances, `range_filter <= score < radius`; of similarities,
/// `radius < score <= range_filter`.
pub struct Bounds {
    radius: f32,
    range_filter: Option<f32>,
}

impl Argument<'_> for Bounds {
    const COUNT: usize = 2;
    const NULLABLE: bool = true;

    fn take(args: &mut Args) -> Result<Bounds, Report> {
        let radius = args.take::<Option<f64>>()?.map(nearest);
        let range_filter = args.take::<Option<f64>>()?.map(nearest);
        let radius = radius.ok_or_else(|| wrong("radius is missing".into()))?;
        if radius.is_nan() || range_filter.is_some_and(f32::is_nan) {
            return Err(wrong("radius and range_filter must be numbers".into()));
        }
        Ok(Bounds { radius, range_filter })
    }
}

impl Bounds {
    /// Checks them for scores of a type.
    ///
    /// # Errors
    /// Where no score can lie between the bounds.
    pub fn check(&self, score_type: ScoreType) -> Result<(), Report> {
        let Bounds { radius, range_filter: Some(inner) } = *self else { return Ok(()) };
        let (is_right, relation) = if score_type.is_similarity() {
            (inner > radius, "greater")
        } else {
            (inner < radius, "less")
        };
        if is_right {
            return Ok(());
        }
        let name = score_type.name();
        Err(wrong(format!(
            "metric type ({name}), range_filter({inner}) must be {relation} than radius({radius})"
        )))
    }

    fn ends_before(&self, score: f32, score_type: ScoreType) -> bool {
        let inside =
            if score_type.is_similarity() { score > self.radius } else { score < self.radius };
        !inside
    }

    fn leaves_out(&self, score: f32, score_type: ScoreType) -> bool {
        self.range_filter.is_some_and(|inner| {
            if score_type.is_similarity() { score > inner } else { score < inner }
        })
    }
}

fn wrong(message: String) -> Report {
    Report::new(ERRCODE_INVALID_PARAMETER_VALUE, message).hint(
        "Of distances (L2, HAMMING, JACCARD), range_filter <= score < radius; of similarities \
         (IP, COSINE), radius < score <= range_filter.",
    )
}

/// A search that ends at a bound.
pub struct RangeReader<'a> {
    /// The search.
    pub search: &'a Search,
    /// Its leg.
    pub leg: &'a Leg,
    /// What scores are wanted.
    pub bounds: &'a Bounds,
}

impl RangeReader<'_> {
    /// The statement that is read, nearest rows first, until a row lies beyond the bound.
    pub fn statement(&self) -> String {
        self.search.reading(self.leg, None, &Limit::fixed(self.search.wanted(self.leg)))
    }

    /// The rows between the bounds, nearest first.
    ///
    /// # Errors
    /// Where PostgreSQL refuses the statement.
    pub fn rows(&self, parameters: &Parameters) -> Result<Vec<Row>, Report> {
        let connection = Connection::begin()?;
        let mut limit = self.search.wanted(self.leg);
        loop {
            if let Some(mut rows) = self.within(&connection, limit, parameters)? {
                rows.drain(..rows.len().min(self.search.options.page.skipped()));
                return Ok(rows);
            }
            limit = limit.saturating_mul(READ_MORE);
        }
    }

    /// The wanted rows between the bounds; none where the nearest `limit` rows are too few to tell.
    fn within(
        &self,
        connection: &Connection,
        limit: i64,
        parameters: &Parameters,
    ) -> Result<Option<Vec<Row>>, Report> {
        let wanted = usize::try_from(self.search.wanted(self.leg)).unwrap_or(usize::MAX);
        let mut reader =
            RowReader::begin(connection, self.search, self.leg, None, limit, parameters)?;
        let mut rows = Vec::new();
        while rows.len() < wanted {
            let Some(row) = reader.next(READ_AT_ONCE.max(reader.read()))? else {
                return Ok(reader.is_exhausted().then_some(rows));
            };
            if self.bounds.ends_before(row.score(), self.leg.score_type) {
                break;
            }
            if !self.bounds.leaves_out(row.score(), self.leg.score_type) {
                rows.try_push(row)?;
            }
        }
        Ok(Some(rows))
    }
}
