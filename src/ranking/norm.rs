//! `norm_score`: scores of different metrics on one scale, from 0 to 1, where more is nearer.

use std::f32::consts::PI;

use super::metric;
use crate::pg::error::Report;
use crate::pg::function::pg_functions;
use crate::pg::varlena::Detoasted;

pg_functions! {
    /// Milvus's formulas, in its precision.
    fn norm_score(score: f64, metric: Detoasted) -> Result<f32, Report> {
        let score = score as f32;
        Ok(match metric::named(&metric, "norm_score", SCALES)? {
            Scale::Cosine => (1.0 + score) * 0.5,
            Scale::Similarity => 0.5 + atan(score) / PI,
            Scale::Relevance => 2.0 * atan(score) / PI,
            Scale::Distance => 1.0 - 2.0 * atan(score) / PI,
        })
    }
}

#[derive(Clone, Copy)]
enum Scale {
    /// From -1 to 1; more is nearer.
    Cosine,
    /// Any number; more is nearer.
    Similarity,
    /// From 0; more is nearer.
    Relevance,
    /// From 0; less is nearer.
    Distance,
}

const SCALES: &[(&str, Scale)] = &[
    ("COSINE", Scale::Cosine),
    ("IP", Scale::Similarity),
    ("BM25", Scale::Relevance),
    ("L2", Scale::Distance),
    ("HAMMING", Scale::Distance),
    ("JACCARD", Scale::Distance),
    ("MAX_SIM", Scale::Similarity),
    ("MAX_SIM_IP", Scale::Similarity),
    ("MAX_SIM_COSINE", Scale::Similarity),
    ("MAX_SIM_L2", Scale::Distance),
];

/// In double precision, rounded, as Milvus computes it.
fn atan(score: f32) -> f32 {
    f64::from(score).atan() as f32
}
