//! The layers of a reranker after its encoder: from the vector of the first token to a score.

use std::sync::atomic::AtomicBool;

use super::config::Judging;
use super::functions::sigmoid;
use super::linear::Linear;
use super::weights::Weights;
use crate::Error;
use crate::error::out_of_memory;

/// Two layers, with a hyperbolic tangent between them.
#[derive(Debug)]
pub(super) struct Judge {
    dense: Linear,
    score: Linear,
    is_sigmoid: bool,
}

impl Judge {
    /// # Errors
    /// Those of [`Weights`]: a model with several labels has a matrix of another shape.
    pub(super) fn new(weights: &Weights<'_>, hidden: usize, how: Judging) -> Result<Self, Error> {
        let (dense, score) = match how.is_roberta {
            true => (".classifier.dense", ".classifier.out_proj"),
            false => ("pooler.dense", ".classifier"),
        };
        Ok(Self {
            dense: weights.linear(&[dense], hidden, hidden)?,
            score: weights.linear(&[score], 1, hidden)?,
            is_sigmoid: how.is_sigmoid,
        })
    }

    /// The score of a pair of texts, of which `first` is the vector of the first token.
    ///
    /// # Errors
    /// If `stop` is set, or memory is refused.
    pub(super) fn score(&self, first: &[f32], stop: &AtomicBool) -> Result<f32, Error> {
        let mut pooled = memory::filled(first.len(), 0.0).map_err(out_of_memory)?;
        self.dense.apply(first, &mut pooled, stop)?;
        pooled.iter_mut().for_each(|value| *value = value.tanh());
        let mut score = [0.0];
        self.score.apply(&pooled, &mut score, stop)?;
        Ok(if self.is_sigmoid { sigmoid(score[0]) } else { score[0] })
    }
}
