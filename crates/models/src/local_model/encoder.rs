//! The encoder of BERT and its relatives: from tokens to a vector for each. Devlin and others, 2018.

use std::sync::atomic::AtomicBool;

use memory::Grow;

use super::attention::attend;
use super::config::Config;
use super::functions::Activation;
use super::linear::{Linear, Norm, ROWS};
use super::weights::{Weights, Words};
use crate::Error;
use crate::error::{go_on, out_of_memory};
use crate::files::lost;
use crate::tokenizer::Sequence;

/// Numbers that are set to zero between looks at the flag that stops a call.
const FILLED: usize = 1 << 18;

/// An encoder with its weights.
#[derive(Debug)]
pub(super) struct Encoder {
    words: Words,
    positions: Vec<f32>,
    types: Vec<f32>,
    norm: Norm,
    layers: Vec<Layer>,
    activation: Activation,
    heads: usize,
    hidden: usize,
    /// The token that has no position, if positions are counted from the one after its number.
    padding: Option<u32>,
}

#[derive(Debug)]
struct Layer {
    /// Queries, keys, and values of all heads.
    projection: Linear,
    mixed: Linear,
    mixed_norm: Norm,
    wider: Linear,
    narrower: Linear,
    norm: Norm,
}

impl Layer {
    fn new(weights: &Weights<'_>, number: usize, config: &Config) -> Result<Self, Error> {
        let &Config { hidden, intermediate, epsilon, .. } = config;
        let name = |part: &str| format!("encoder.layer.{number}.{part}");
        let projected =
            ["query", "key", "value"].map(|part| name(&format!("attention.self.{part}")));
        let linear = |part, outputs, inputs| weights.linear(&[&name(part)], outputs, inputs);
        let norm = |part| weights.norm(&name(part), hidden, epsilon);
        Ok(Self {
            projection: weights.linear(&projected.each_ref().map(|n| &**n), hidden, hidden)?,
            mixed: linear("attention.output.dense", hidden, hidden)?,
            mixed_norm: norm("attention.output.LayerNorm")?,
            wider: linear("intermediate.dense", intermediate, hidden)?,
            narrower: linear("output.dense", hidden, intermediate)?,
            norm: norm("output.LayerNorm")?,
        })
    }
}

impl Encoder {
    /// Reads what the configuration says from the file.
    ///
    /// # Errors
    /// Those of [`Weights`].
    pub(super) fn new(weights: Weights<'_>, config: &Config) -> Result<Self, Error> {
        let hidden = config.hidden;
        let mut layers = Vec::new();
        for number in 0..config.layers {
            layers.try_push(Layer::new(&weights, number, config)?).map_err(out_of_memory)?;
        }
        Ok(Self {
            positions: weights.matrix("embeddings.position_embeddings.weight", hidden)?,
            types: weights.matrix("embeddings.token_type_embeddings.weight", hidden)?,
            norm: weights.norm("embeddings.LayerNorm", hidden, config.epsilon)?,
            words: weights.into_words(hidden)?,
            layers,
            activation: config.activation,
            heads: config.heads,
            hidden,
            padding: config.padding,
        })
    }

    /// The numbers of a vector.
    pub(super) fn hidden(&self) -> usize {
        self.hidden
    }

    /// How many tokens have a vector.
    pub(super) fn words(&self) -> usize {
        self.words.len()
    }

    /// How many types of tokens there are.
    pub(super) fn types(&self) -> usize {
        self.types.len() / self.hidden
    }

    /// How many tokens a text has at most.
    pub(super) fn longest(&self) -> usize {
        (self.positions.len() / self.hidden).saturating_sub(self.first_position())
    }

    fn first_position(&self) -> usize {
        self.padding.map_or(0, |padding| padding as usize + 1)
    }

    /// The vectors of the tokens of texts, one text after the other. Each has at least one token and
    /// at most [`Encoder::longest`].
    ///
    /// # Errors
    /// If the file cannot be read any more, `stop` is set, or memory is refused.
    pub(super) fn encode(&self, texts: &[Sequence], stop: &AtomicBool) -> Result<Vec<f32>, Error> {
        let hidden = self.hidden;
        let tokens = texts.iter().map(|text| text.tokens.len()).sum::<usize>();
        let mut vectors = zeros(tokens * hidden, stop)?;
        self.begin(texts, &mut vectors, stop)?;
        let mut projected = zeros(tokens * 3 * hidden, stop)?;
        let mut mixed = zeros(tokens * hidden, stop)?;
        for layer in &self.layers {
            layer.projection.apply(&vectors, &mut projected, stop)?;
            let (mut projected, mut out) = (&projected[..], &mut mixed[..]);
            for text in texts {
                let (now, rest) = projected.split_at(text.tokens.len() * 3 * hidden);
                let (out_now, out_rest) = out.split_at_mut(text.tokens.len() * hidden);
                attend(now, self.heads, hidden, out_now, stop)?;
                (projected, out) = (rest, out_rest);
            }
            layer.mixed.add(&mixed, &mut vectors, stop)?;
            layer.mixed_norm.apply(&mut vectors, stop)?;
            let wide = layer.wider.bias.len();
            let mut wider = zeros(ROWS.min(tokens) * wide, stop)?;
            for vectors in vectors.chunks_mut(ROWS * hidden) {
                let wider = &mut wider[..vectors.len() / hidden * wide];
                layer.wider.apply(vectors, wider, stop)?;
                self.activation.apply(wider, stop)?;
                layer.narrower.add(wider, vectors, stop)?;
            }
            layer.norm.apply(&mut vectors, stop)?;
        }
        Ok(vectors)
    }

    /// Puts the vectors into `vectors` that the first layer gets: of tokens, positions, and types.
    fn begin(
        &self,
        texts: &[Sequence],
        vectors: &mut [f32],
        stop: &AtomicBool,
    ) -> Result<(), Error> {
        let mut bytes = Vec::new();
        let mut vectors_left = vectors.chunks_exact_mut(self.hidden);
        for text in texts {
            let mut next = self.first_position();
            for ((token, r#type), vector) in
                text.tokens.iter().zip(&text.types).zip(&mut vectors_left)
            {
                go_on(stop)?;
                self.words.add(*token, &mut bytes, vector).map_err(|error| lost(&error))?;
                let position = match self.padding == Some(*token) {
                    true => *token as usize,
                    false => next,
                };
                next += usize::from(position == next);
                // With such positions, texts are not told apart by types.
                let r#type = if self.padding.is_some() { 0 } else { *r#type as usize };
                let rows = [(&self.positions, position), (&self.types, r#type)];
                for (table, row) in rows {
                    let row = table.chunks_exact(self.hidden).nth(row).unwrap_or_default();
                    vector.iter_mut().zip(row).for_each(|(value, more)| *value += more);
                }
            }
        }
        self.norm.apply(vectors, stop)
    }
}

/// So many zeros. The operating system takes its time for the first use of much memory.
fn zeros(len: usize, stop: &AtomicBool) -> Result<Vec<f32>, Error> {
    let mut zeros = memory::with_room(len).map_err(out_of_memory)?;
    while zeros.len() < len {
        go_on(stop)?;
        zeros.resize(len.min(zeros.len() + FILLED), 0.0);
    }
    Ok(zeros)
}
