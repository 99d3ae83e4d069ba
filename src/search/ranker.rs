//! Rankers: how one ranking is made of several, as `rrf_ranker` and `weighted_ranker` write it.

use pgrx::PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE;
use serde_json::Value;

use super::leg::{Leg, Scale};
use crate::pg::error::Report;

/// Makes one score of the ranks and scores of a row.
pub enum Ranker {
    /// Reciprocal rank fusion: Σ wᵢ / (k + rankᵢ).
    Rrf {
        /// 0 < k < 16,384.
        k: f64,
        /// One for each leg, or none.
        weights: Option<Vec<f64>>,
    },
    /// Σ wᵢ · scoreᵢ.
    Weighted {
        /// One for each leg, 0..=1.
        weights: Vec<f64>,
        /// Whether scores are first brought to a scale from 0 to 1.
        norm_score: bool,
    },
}

impl Ranker {
    /// Reads a ranker for `legs` legs.
    ///
    /// # Errors
    /// Where it is none, or its numbers are out of their ranges.
    pub fn read(ranker: &Value, legs: usize) -> Result<Ranker, Report> {
        match ranker.get("strategy").and_then(Value::as_str) {
            Some("rrf") => Ranker::rrf(ranker, legs),
            Some("weighted") => {
                let Some(weights) = weights(ranker, legs)? else { return Err(malformed()) };
                let norm_score = ranker.get("norm_score").and_then(Value::as_bool).unwrap_or(true);
                Ok(Ranker::Weighted { weights, norm_score })
            }
            Some(_) | None => Err(malformed()),
        }
    }

    fn rrf(ranker: &Value, legs: usize) -> Result<Ranker, Report> {
        let k = ranker.get("k").and_then(Value::as_f64).ok_or_else(malformed)?;
        if !(k > 0.0 && k < 16_384.0) {
            let message = format!("The rank params k should be in range (0, 16384): {k}");
            return Err(Report::new(ERRCODE_INVALID_PARAMETER_VALUE, message)
                .hint("With a small k the first ranks count for more; usual is 60."));
        }
        Ok(Ranker::Rrf { k, weights: weights(ranker, legs)? })
    }

    /// Whether it looks at scores; if not, at ranks alone.
    pub fn by_scores(&self) -> bool {
        matches!(self, Ranker::Weighted { .. })
    }

    /// What a row that leg `i` finds gets from it, in the precision of Milvus. `rank` and `score` are
    /// the names of the row's rank and score there.
    pub fn part(&self, i: usize, leg: &Leg, schema: &str, rank: &str, score: &str) -> String {
        match self {
            Ranker::Rrf { k, weights } => {
                let weight = weights.as_ref().map_or(1.0, |weights| weights[i]);
                format!(
                    "({weight:?}::pg_catalog.float8 OPERATOR(pg_catalog./) \
                     ({k:?}::pg_catalog.float8 OPERATOR(pg_catalog.+) {rank}))::pg_catalog.float4"
                )
            }
            Ranker::Weighted { weights, norm_score } => {
                // Distances and similarities add up on one scale only.
                let norm = *norm_score || !leg.scale.is_similarity();
                let score = match leg.scale {
                    Scale::Metric(_) | Scale::Text if norm => {
                        format!("{schema}.norm_score({score}, '{}')", leg.scale.name())
                    }
                    Scale::Metric(_) | Scale::Text => score.to_owned(),
                };
                let weight = weights[i] as f32;
                format!("({weight:?}::pg_catalog.float4 OPERATOR(pg_catalog.*) {score})")
            }
        }
    }
}

fn weights(ranker: &Value, legs: usize) -> Result<Option<Vec<f64>>, Report> {
    let wrong = |message: String| {
        Report::new(ERRCODE_INVALID_PARAMETER_VALUE, message)
            .hint("Give one weight from 0 to 1 for each request, in their order.")
    };
    let weights = match ranker.get("weights") {
        None | Some(Value::Null) => return Ok(None),
        Some(weights) => weights.as_array().ok_or_else(malformed)?,
    };
    if weights.len() != legs {
        return Err(wrong(format!(
            "the length of weights param mismatch with ann search requests: \
             invalid parameter[expected={legs}][actual={}]",
            weights.len()
        )));
    }
    let weight = |weight: &Value| {
        let number = weight.as_f64().filter(|number| (0.0..=1.0).contains(number));
        number
            .ok_or_else(|| wrong(format!("rank param weight should be in range [0, 1]: {weight}")))
    };
    weights.iter().map(weight).collect::<Result<_, _>>().map(Some)
}

fn malformed() -> Report {
    Report::new(ERRCODE_INVALID_PARAMETER_VALUE, "not a ranker")
        .hint("Rankers are made by rrf_ranker() and weighted_ranker(weights).")
}
