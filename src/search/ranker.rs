//! Rankers: how one ranking is made of several, as `rrf_ranker`, `weighted_ranker`,
//! `min_max_ranker`, `decay_ranker`, and `model_ranker` write it.

use pgrx::PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE;
use serde::Deserialize;
use serde_json::Value;

use super::decay::Decay;
use super::leg::Search;
use super::model::ModelRanker;
use super::parameters::Parameters;
use super::query::{function, operator};
use super::scores::{ScoreType, sum};
use crate::pg::error::Report;
use crate::pg::json::{from_object, lenient};

/// Makes one score of the ranks and scores of a row.
#[derive(Deserialize)]
#[serde(tag = "strategy", rename_all = "lowercase")]
pub enum Ranker {
    /// Reciprocal rank fusion: Σ wᵢ / (k + rankᵢ).
    Rrf {
        /// 0 < k < 16,384.
        k: f64,
        /// One for each leg, 0..=1, or none.
        weights: Option<Vec<Value>>,
    },
    /// Σ wᵢ · scoreᵢ.
    Weighted {
        /// One for each leg, 0..=1.
        weights: Vec<Value>,
        /// Whether scores are first brought to a scale from 0 to 1; by default, they are.
        #[serde(default, deserialize_with = "lenient")]
        norm_score: Option<bool>,
    },
    /// Σ wᵢ · scoreᵢ, where the scores of each leg are scaled to 0..=1: its best is 1, its worst 0.
    #[serde(rename = "min_max")]
    MinMax {
        /// One for each leg, 0..=1, or none.
        weights: Option<Vec<Value>>,
    },
    /// Scores that fade with the distance of a column's value from an origin.
    Decay(Decay),
    /// Scores of a reranking model for a column's texts.
    Model(ModelRanker),
}

/// What a leg knows of a row.
pub struct LegColumns {
    /// The leg's number, from 0.
    pub number: usize,
    /// By what it measures.
    pub score_type: ScoreType,
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
    pub fn read(ranker: Value, legs: usize) -> Result<Ranker, Report> {
        let ranker: Ranker = from_object(ranker).ok_or_else(malformed)?;
        match &ranker {
            Ranker::Rrf { k, weights } => {
                check_k(*k)?;
                weights.as_ref().map_or(Ok(()), |weights| check_weights(weights, legs))?;
            }
            Ranker::Weighted { weights, .. } => check_weights(weights, legs)?,
            Ranker::MinMax { weights } => {
                weights.as_ref().map_or(Ok(()), |weights| check_weights(weights, legs))?;
            }
            Ranker::Decay(decay) => decay.check()?,
            Ranker::Model(_) => {}
        }
        Ok(ranker)
    }

    /// Whether it looks at scores; if not, at ranks alone.
    pub fn by_scores(&self) -> bool {
        !matches!(self, Ranker::Rrf { .. } | Ranker::Model(_))
    }

    /// The score of a row, in the precision of Milvus.
    ///
    /// # Errors
    /// Where the ranker does not fit the table.
    pub fn score(
        &self,
        legs: &[LegColumns],
        search: &Search,
        parameters: &mut Parameters,
    ) -> Result<String, Report> {
        let schema = &search.table.extension.1;
        let mut part = |leg: &LegColumns| match self {
            Ranker::Rrf { k, weights } => {
                let weight = weight_of(weights.as_deref(), leg);
                let (weight, k) = (parameters.number(weight), parameters.number(*k));
                let place = operator(k, "+", &leg.rank);
                format!("{schema}.as_score({})", operator(weight, "/", format!("({place})")))
            }
            Ranker::Weighted { weights, norm_score } => {
                let weight = f64::from(weight_of(Some(weights), leg) as f32);
                let weight = parameters.number(weight);
                let score = leg.score(norm_score.unwrap_or(true), schema);
                format!("{schema}.as_score({})", operator(weight, "*", score))
            }
            Ranker::MinMax { weights } => {
                let weight = f64::from(weight_of(weights.as_deref(), leg) as f32);
                let weight = parameters.number(weight);
                format!("{schema}.as_score({})", operator(weight, "*", leg.scaled(schema)))
            }
            Ranker::Decay(decay) => leg.score(decay.norm_score, schema),
            Ranker::Model(_) => String::new(),
        };
        let parts: Vec<String> = legs.iter().map(&mut part).collect();
        match self {
            Ranker::Rrf { .. } | Ranker::Weighted { .. } | Ranker::MinMax { .. } => {
                Ok(sum(&parts, schema))
            }
            Ranker::Decay(decay) => decay.score(&parts, search, parameters),
            Ranker::Model(model) => model.score(search, parameters),
        }
    }
}

impl LegColumns {
    /// The score, where more is nearer: distances and similarities add up on one scale only.
    fn score(&self, norm_score: bool, schema: &str) -> String {
        if norm_score || !self.score_type.is_similarity() {
            format!(
                "{schema}.norm_score({}::pg_catalog.float8, '{}'::pg_catalog.text)",
                self.score,
                self.score_type.name()
            )
        } else {
            self.score.clone()
        }
    }

    /// The score on a scale from the worst of the leg, 0, to its best, 1. It is for a statement
    /// that selects all rows of the leg.
    fn scaled(&self, schema: &str) -> String {
        let (worst, best) =
            if self.score_type.is_similarity() { ("min", "max") } else { ("max", "min") };
        let all = |aggregate| format!("{} OVER ()", function(aggregate, &self.score));
        format!(
            "{schema}.min_max_score({}::pg_catalog.float8, ({})::pg_catalog.float8, \
             ({})::pg_catalog.float8)",
            self.score,
            all(worst),
            all(best)
        )
    }
}

fn check_k(k: f64) -> Result<(), Report> {
    if k > 0.0 && k < 16_384.0 {
        return Ok(());
    }
    let message = format!("The rank params k should be in range (0, 16384): {k}");
    Err(Report::new(ERRCODE_INVALID_PARAMETER_VALUE, message)
        .hint("With a small k the first ranks count for more; usual is 60."))
}

fn check_weights(weights: &[Value], legs: usize) -> Result<(), Report> {
    let is_wrong = |weight: &&Value| !weight.as_f64().is_some_and(|w| (0.0..=1.0).contains(&w));
    let message = if weights.len() != legs {
        format!(
            "the length of weights param mismatch with ann search requests: \
             invalid parameter[expected={legs}][actual={}]",
            weights.len()
        )
    } else if let Some(weight) = weights.iter().find(is_wrong) {
        format!("rank param weight should be in range [0, 1]: {weight}")
    } else {
        return Ok(());
    };
    Err(Report::new(ERRCODE_INVALID_PARAMETER_VALUE, message)
        .hint("Give one weight from 0 to 1 for each request, in their order."))
}

/// The weight of a leg; 1 if there are no weights.
fn weight_of(weights: Option<&[Value]>, leg: &LegColumns) -> f64 {
    weights.and_then(|weights| weights.get(leg.number)).map_or(1.0, weight)
}

/// A weight, without what no score would show, so that quotients by it can be told from 0.
fn weight(weight: &Value) -> f64 {
    weight.as_f64().filter(|&weight| weight >= f64::from(f32::MIN_POSITIVE)).unwrap_or(0.0)
}

fn malformed() -> Report {
    Report::new(ERRCODE_INVALID_PARAMETER_VALUE, "not a ranker")
        .hint("Rankers are made by rrf_ranker(), min_max_ranker(), weighted_ranker(weights), decay_ranker(function, field, origin, scale), and model_ranker(server, query, field).")
}
