//! Rankers: how one ranking is made of several, as `rrf_ranker`, `weighted_ranker` and
//! `decay_ranker` write it.

use pgrx::PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE;
use pgrx::pg_sys;
use serde_json::Value;

use super::decay::Decay;
use super::leg::{Scale, Search};
use super::statement::Parameters;
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
    /// Scores that fade with the distance of a column's value from an origin.
    Decay(Decay),
}

/// What a leg knows of a row.
pub struct Found {
    /// The leg's number, from 0.
    pub number: usize,
    /// By what it measures.
    pub scale: Scale,
    /// How the statement calls the row's rank, which is NULL where the leg did not find it.
    pub rank: String,
    /// How it calls the row's score.
    pub score: String,
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
            Some("decay") => Decay::read(ranker).ok_or_else(malformed)?.map(Ranker::Decay),
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
        !matches!(self, Ranker::Rrf { .. })
    }

    /// The score of a row, in the precision of Milvus.
    ///
    /// # Errors
    /// Where the ranker does not fit the table.
    pub fn score(
        &self,
        found: &[Found],
        search: &Search<'_>,
        parameters: &mut Parameters,
    ) -> Result<String, Report> {
        let schema = &search.schema.1;
        let mut part = |leg: &Found| match self {
            Ranker::Rrf { k, weights } => {
                let weight = weights.as_ref().map_or(1.0, |weights| weights[leg.number]);
                format!(
                    "{schema}.as_score({weight} OPERATOR(pg_catalog./) \
                     ({k} OPERATOR(pg_catalog.+) {}))",
                    leg.rank,
                    weight = number(weight, parameters),
                    k = number(*k, parameters),
                )
            }
            Ranker::Weighted { weights, norm_score } => {
                let weight = number(f64::from(weights[leg.number] as f32), parameters);
                let score = leg.score(*norm_score, schema);
                format!("{schema}.as_score({weight} OPERATOR(pg_catalog.*) {score})")
            }
            Ranker::Decay(decay) => leg.score(decay.norm_score, schema),
        };
        let parts: Vec<String> = found.iter().map(&mut part).collect();
        match self {
            Ranker::Rrf { .. } | Ranker::Weighted { .. } => Ok(sum(&parts, schema)),
            Ranker::Decay(decay) => decay.score(&parts, search, parameters),
        }
    }
}

impl Found {
    /// The score, where more is nearer: distances and similarities add up on one scale only.
    fn score(&self, norm_score: bool, schema: &str) -> String {
        if norm_score || !self.scale.is_similarity() {
            format!(
                "{schema}.norm_score({}::pg_catalog.float8, '{}'::pg_catalog.text)",
                self.score,
                self.scale.name()
            )
        } else {
            self.score.clone()
        }
    }
}

/// A number as a statement writes it: the value of a parameter, so that one plan serves all.
pub fn number(value: f64, parameters: &mut Parameters) -> String {
    parameters.add(pg_sys::FLOAT8OID, "pg_catalog.float8".into(), format!("{value:?}"))
}

/// The sum of parts, of which NULL ones count as 0, rounded after each.
pub fn sum(parts: &[String], schema: &str) -> String {
    let part = |part: &String| format!("COALESCE({part}, 0::pg_catalog.float4)");
    let add = |sum: String, part: String| {
        format!("{schema}.as_score({sum}::pg_catalog.float8 OPERATOR(pg_catalog.+) {part})")
    };
    parts.iter().map(part).reduce(add).unwrap_or_else(|| "0::pg_catalog.float4".into())
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
        // As no score would show it, and so that quotients by it can be told from 0.
        number
            .map(|number| if number < f64::from(f32::MIN_POSITIVE) { 0.0 } else { number })
            .ok_or_else(|| wrong(format!("rank param weight should be in range [0, 1]: {weight}")))
    };
    weights.iter().map(weight).collect::<Result<_, _>>().map(Some)
}

fn malformed() -> Report {
    Report::new(ERRCODE_INVALID_PARAMETER_VALUE, "not a ranker")
        .hint("Rankers are made by rrf_ranker(), weighted_ranker(weights) and decay_ranker(function, field, origin, scale).")
}
