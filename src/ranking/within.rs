//! `within`: whether a score is in Milvus's interval of a range search. Of L2 less is nearer, of IP
//! and COSINE more.

use std::ffi::CStr;

use pgrx::PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE;

use super::bound::nearest;
use super::metric;
use super::score::{self, OF_NUMBERS, OfNumbers};
use crate::pg::error::Report;
use crate::pg::function::{pg_export, pg_functions};
use crate::pg::varlena::Detoasted;
use crate::types::numbers::{Numbers, for_each_number_type};

/// By so much a sphere is wider than the interval: scores are of single precision.
const MARGIN: f64 = 1e-6;

macro_rules! export {
    ($type:literal, $vector:ty) => {
        pg_export!(@ concat!("within_", $type) => within::<$vector>);
    };
}
for_each_number_type!(export);

pg_functions! {
    /// The radius of a sphere that holds the interval.
    fn within_radius(
        radius: Option<f64>,
        range_filter: Option<f64>,
        metric: Option<Detoasted>,
    ) -> Result<Option<f64>, Report> {
        let Some(interval) = Interval::new(radius, range_filter, metric)? else { return Ok(None) };
        let radius = f64::from(interval.radius);
        Ok(Some(match interval.metric {
            OfNumbers::L2 => radius.max(0.0).sqrt() * (1.0 + MARGIN),
            OfNumbers::Ip if radius.is_infinite() => -radius,
            OfNumbers::Ip => -radius + radius.abs() * MARGIN,
            OfNumbers::Cosine => 1.0 - radius + MARGIN,
        }))
    }

    /// The inner bound of that sphere.
    fn within_inner(range_filter: f64, metric: Detoasted) -> Result<f64, Report> {
        let filter = f64::from(nearest(range_filter));
        Ok(match metric::named(&metric, "within", OF_NUMBERS)? {
            OfNumbers::L2 => filter.max(0.0).sqrt() * (1.0 - MARGIN),
            OfNumbers::Ip if filter.is_infinite() => -filter,
            OfNumbers::Ip => -filter - filter.abs() * MARGIN,
            OfNumbers::Cosine => 1.0 - filter - MARGIN,
        })
    }
}

/// Scores that are near enough, and not too near.
struct Interval {
    metric: OfNumbers,
    radius: f32,
    range_filter: Option<f32>,
}

impl Interval {
    /// None where radius or metric are NULL; refuses bounds in the wrong order.
    fn new(
        radius: Option<f64>,
        range_filter: Option<f64>,
        metric: Option<Detoasted>,
    ) -> Result<Option<Self>, Report> {
        let Some((radius, metric)) = radius.zip(metric) else { return Ok(None) };
        let (radius, range_filter) = (nearest(radius), range_filter.map(nearest));
        let metric = metric::named(&metric, "within", OF_NUMBERS)?;
        if radius.is_nan() || range_filter.is_some_and(f32::is_nan) {
            let message = "radius and range_filter must be numbers, not NaN";
            return Err(Report::new(ERRCODE_INVALID_PARAMETER_VALUE, message));
        }
        let (name, wanted, interval) = match metric {
            OfNumbers::L2 => ("L2", "less", "range_filter <= distance < radius"),
            OfNumbers::Ip => ("IP", "greater", "radius < similarity <= range_filter"),
            OfNumbers::Cosine => ("COSINE", "greater", "radius < similarity <= range_filter"),
        };
        if let Some(filter) = range_filter {
            let nearer = if name == "L2" { filter < radius } else { filter > radius };
            if !nearer {
                let message = format!(
                    "metric type ({name}), range_filter({filter}) must be {wanted} than \
                     radius({radius})"
                );
                let hint = format!("Rows of this metric are found where {interval}.");
                return Err(Report::new(ERRCODE_INVALID_PARAMETER_VALUE, message).hint(hint));
            }
        }
        Ok(Some(Self { metric, radius, range_filter }))
    }

    fn contains(&self, score: f32) -> bool {
        match self.metric {
            OfNumbers::L2 => score < self.radius && self.range_filter.is_none_or(|x| score >= x),
            OfNumbers::Ip | OfNumbers::Cosine => {
                score > self.radius && self.range_filter.is_none_or(|x| score <= x)
            }
        }
    }
}

fn within<'a, V: Numbers<'a>>(
    v: Option<V>,
    q: Option<V>,
    radius: Option<f64>,
    range_filter: Option<f64>,
    metric: Option<Detoasted>,
) -> Result<Option<bool>, Report> {
    let Some(interval) = Interval::new(radius, range_filter, metric)? else { return Ok(None) };
    let Some((v, q)) = v.zip(q) else { return Ok(None) };
    let score = score::of_numbers(&v, &q, interval.metric)?;
    Ok(Some(score.is_some_and(|score| interval.contains(score))))
}

/// The operator that tells whether a vector is inside of a sphere, by the metric's name.
pub fn operator(metric: &Detoasted) -> Option<&'static CStr> {
    Some(match metric::named(metric, "within", OF_NUMBERS).ok()? {
        OfNumbers::L2 => c"<<->>",
        OfNumbers::Ip => c"<<#>>",
        OfNumbers::Cosine => c"<<=>>",
    })
}
