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
use crate::ranking::bound::Bounds;

/// Rows that are fetched first. Each further fetch doubles the number of rows read.
const READ_AT_ONCE: i64 = 16;
/// Factor by which the limit of the statement grows if it was too small.
const READ_MORE: i64 = 8;

impl Argument<'_> for Bounds {
    const COUNT: usize = 2;
    const NULLABLE: bool = true;

    fn take(args: &mut Args) -> Result<Bounds, Report> {
        let (radius, range_filter) = (args.take::<Option<f64>>()?, args.take()?);
        let radius = radius.ok_or_else(|| wrong("radius is missing"))?;
        let bounds = Bounds::new(radius, range_filter);
        if bounds.has_nan() {
            Err(wrong("radius and range_filter must be numbers"))
        } else {
            Ok(bounds)
        }
    }
}

/// Checks that scores of a type can lie between the bounds.
///
/// # Errors
/// Where none can.
pub fn check(bounds: &Bounds, score_type: ScoreType) -> Result<(), Report> {
    let checked = bounds.check(score_type.name(), score_type.is_similarity());
    checked.map_err(|report| report.hint(HINT))
}

fn wrong(message: &str) -> Report {
    Report::new(ERRCODE_INVALID_PARAMETER_VALUE, message).hint(HINT)
}

const HINT: &str = "Of distances (L2, HAMMING, JACCARD), range_filter <= score < radius; of \
                    similarities (IP, COSINE, BM25), radius < score <= range_filter.";

/// A search that ends at a bound.
pub struct RangeReader<'a> {
    /// The search.
    pub search: &'a Search,
    /// Its leg.
    pub leg: &'a Leg,
    /// The scores to find.
    pub bounds: &'a Bounds,
}

impl RangeReader<'_> {
    /// The statement that is read, nearest rows first, until a row lies beyond the bound.
    pub fn statement(&self) -> String {
        self.search.reading(self.leg, None, &Limit::fixed(self.first_limit()))
    }

    /// Other servers send as many rows as the statement says, wherever the bound is.
    fn first_limit(&self) -> i64 {
        let wanted = self.search.wanted(self.leg);
        if self.leg.parts.is_some() { wanted.min(READ_AT_ONCE) } else { wanted }
    }

    /// The rows between the bounds, nearest first.
    ///
    /// # Errors
    /// Where PostgreSQL refuses the statement.
    pub fn rows(&self, parameters: &Parameters) -> Result<Vec<Row>, Report> {
        let connection = Connection::begin()?;
        let mut limit = self.first_limit();
        loop {
            if let Some(mut rows) = self.within(&connection, limit, parameters)? {
                rows.drain(..rows.len().min(self.search.options.page.skipped()));
                return Ok(rows);
            }
            limit = limit.saturating_mul(READ_MORE);
        }
    }

    /// The wanted rows between the bounds; none if the nearest `limit` rows do not suffice to tell.
    fn within(
        &self,
        connection: &Connection,
        limit: i64,
        parameters: &Parameters,
    ) -> Result<Option<Vec<Row>>, Report> {
        let wanted = usize::try_from(self.search.wanted(self.leg)).unwrap_or(usize::MAX);
        let mut reader =
            RowReader::begin(connection, self.search, self.leg, None, limit, parameters)?;
        let is_similarity = self.leg.score_type.is_similarity();
        let mut rows = Vec::new();
        while rows.len() < wanted {
            let Some(row) = reader.next(READ_AT_ONCE.max(reader.read()))? else {
                return Ok(reader.is_exhausted().then_some(rows));
            };
            if self.bounds.ends_before(row.score(), is_similarity) {
                break;
            }
            if self.bounds.contains(row.score(), is_similarity) {
                rows.try_push(row)?;
            }
        }
        Ok(Some(rows))
    }
}
