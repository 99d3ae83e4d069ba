//! What scores mean, and their arithmetic in statements.

use super::field::MetricType;

/// What a score means.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum ScoreType {
    /// That of a metric.
    Metric(MetricType),
    /// How well a text fits.
    Text,
}

impl ScoreType {
    /// Its name for `norm_score`.
    pub fn name(self) -> &'static str {
        match self {
            ScoreType::Metric(metric) => metric.name(),
            ScoreType::Text => "BM25",
        }
    }

    /// Whether a higher score is nearer.
    pub fn is_similarity(self) -> bool {
        match self {
            ScoreType::Metric(metric) => metric.is_similarity(),
            ScoreType::Text => true,
        }
    }
}

/// The sum of parts, of which NULL ones count as 0, rounded after each, as Milvus does.
pub fn sum(parts: &[String], schema: &str) -> String {
    let part = |part: &String| format!("COALESCE({part}, 0::pg_catalog.float4)");
    let add = |sum: String, part: String| {
        format!("{schema}.as_score({sum}::pg_catalog.float8 OPERATOR(pg_catalog.+) {part})")
    };
    parts.iter().map(part).reduce(add).unwrap_or_else(|| "0::pg_catalog.float4".into())
}
