//! `within`: whether a score is in Milvus's interval of a range search. Of L2 less is nearer, of IP
//! and COSINE more.

use std::ffi::CStr;

use pgrx::PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE;

use super::bound::{Bounds, nearest};
use super::metric;
use super::score::{self, NUMBER_METRICS, NumberMetric};
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
        let radius = f64::from(interval.bounds.radius);
        Ok(Some(match interval.metric {
            NumberMetric::L2 => radius.max(0.0).sqrt() * (1.0 + MARGIN),
            NumberMetric::Ip if radius.is_infinite() => -radius,
            NumberMetric::Ip => -radius + radius.abs() * MARGIN,
            NumberMetric::Cosine => 1.0 - radius + MARGIN,
        }))
    }

    /// The inner bound of that sphere.
    fn within_inner(range_filter: f64, metric: Detoasted) -> Result<f64, Report> {
        let filter = f64::from(nearest(range_filter));
        Ok(match metric::named(&metric, "within", NUMBER_METRICS)? {
            NumberMetric::L2 => filter.max(0.0).sqrt() * (1.0 - MARGIN),
            NumberMetric::Ip if filter.is_infinite() => -filter,
            NumberMetric::Ip => -filter - filter.abs() * MARGIN,
            NumberMetric::Cosine => 1.0 - filter - MARGIN,
        })
    }
}

/// The interval of a metric.
struct Interval {
    metric: NumberMetric,
    bounds: Bounds,
}

impl Interval {
    /// None where radius or metric are NULL; refuses bounds in the wrong order.
    fn new(
        radius: Option<f64>,
        range_filter: Option<f64>,
        metric: Option<Detoasted>,
    ) -> Result<Option<Self>, Report> {
        let Some((radius, metric)) = radius.zip(metric) else { return Ok(None) };
        let bounds = Bounds::new(radius, range_filter);
        let metric = metric::named(&metric, "within", NUMBER_METRICS)?;
        if bounds.has_nan() {
            let message = "radius and range_filter must be numbers, not NaN";
            return Err(Report::new(ERRCODE_INVALID_PARAMETER_VALUE, message));
        }
        let (name, interval) = match metric {
            NumberMetric::L2 => ("L2", "range_filter <= distance < radius"),
            NumberMetric::Ip => ("IP", "radius < similarity <= range_filter"),
            NumberMetric::Cosine => ("COSINE", "radius < similarity <= range_filter"),
        };
        bounds.check(name, metric.is_similarity()).map_err(|report| {
            report.hint(format!("Rows of this metric are found where {interval}."))
        })?;
        Ok(Some(Self { metric, bounds }))
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
    let score = score::number_score(&v, &q, interval.metric)?;
    let is_similarity = interval.metric.is_similarity();
    Ok(Some(score.is_some_and(|score| interval.bounds.contains(score, is_similarity))))
}

/// The operator that tells whether a vector is inside of a sphere, by the metric's name.
pub fn operator(metric: &Detoasted) -> Option<&'static CStr> {
    Some(match metric::named(metric, "within", NUMBER_METRICS).ok()? {
        NumberMetric::L2 => c"<<->>",
        NumberMetric::Ip => c"<<#>>",
        NumberMetric::Cosine => c"<<=>>",
    })
}
