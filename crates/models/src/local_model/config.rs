//! The sizes and the kind of a model: `config.json`, and what `tokenizer_config.json` adds to it.

use serde::Deserialize;

use super::functions::Activation;
use crate::error::bounded;
use crate::options::MOST_DIMENSIONS;

/// Numbers between the two products of a layer, at most.
const MOST_INTERMEDIATE: usize = 1 << 18;

/// What the encoder has to know of a model.
#[derive(Debug)]
pub(super) struct Config {
    pub(super) hidden: usize,
    pub(super) layers: usize,
    /// They divide `hidden`.
    pub(super) heads: usize,
    pub(super) intermediate: usize,
    pub(super) activation: Activation,
    pub(super) epsilon: f32,
    /// Tokens of a text at most, if nothing else says so.
    pub(super) longest: usize,
    /// The token from whose number positions are counted, of RoBERTa and its relatives.
    pub(super) padding: Option<u32>,
    /// Whether it scores pairs of texts, and how.
    pub(super) judge: Option<Judging>,
}

/// What is in the file, as far as it matters.
#[derive(Deserialize)]
struct File {
    model_type: Option<String>,
    #[serde(default)]
    architectures: Option<Vec<String>>,
    hidden_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    intermediate_size: usize,
    hidden_act: Option<String>,
    layer_norm_eps: Option<f32>,
    max_position_embeddings: usize,
    pad_token_id: Option<u32>,
    position_embedding_type: Option<String>,
    #[serde(default)]
    is_decoder: bool,
    #[serde(default)]
    embedding_size: Option<usize>,
    sbert_ce_default_activation_function: Option<String>,
    sentence_transformers: Option<CrossEncoder>,
}

/// What newer versions of sentence-transformers write for rerankers.
#[derive(Deserialize)]
struct CrossEncoder {
    activation_fn: Option<String>,
}

/// How a reranker scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Judging {
    /// Its layers have the names that RoBERTa's have.
    pub(super) is_roberta: bool,
    /// Scores are between 0 and 1.
    pub(super) is_sigmoid: bool,
}

/// The error of something that is not known.
fn unsupported(name: &str, value: &str) -> String {
    format!("{name} \"{}\" is not supported", bounded(value, 60))
}

impl Config {
    /// # Errors
    /// What is wrong with the file, or what it needs that is not known.
    pub(super) fn new(json: &[u8]) -> Result<Self, String> {
        let file: File =
            serde_json::from_slice(json).map_err(|error| bounded(&error.to_string(), 200))?;
        let is_roberta = match file.model_type.as_deref() {
            Some("bert") => false,
            Some("roberta" | "xlm-roberta") => true,
            other => return Err(unsupported("model_type", other.unwrap_or_default())),
        };
        if let Some(other) = file.position_embedding_type.as_deref().filter(|t| *t != "absolute") {
            return Err(unsupported("position_embedding_type", other));
        }
        if file.is_decoder || file.embedding_size.is_some_and(|size| size != file.hidden_size) {
            return Err("only encoders with embeddings as wide as the rest are supported".into());
        }
        let activation = file.hidden_act.as_deref().unwrap_or("gelu");
        let activation =
            Activation::new(activation).ok_or_else(|| unsupported("hidden_act", activation))?;
        let (hidden, heads) = (file.hidden_size, file.num_attention_heads);
        if !(1..=MOST_DIMENSIONS).contains(&hidden) {
            return Err(format!("hidden_size must be between 1 and {MOST_DIMENSIONS}"));
        }
        if heads == 0 || !hidden.is_multiple_of(heads) {
            return Err("hidden_size is not a multiple of num_attention_heads".into());
        }
        if !(1..=MOST_INTERMEDIATE).contains(&file.intermediate_size) {
            return Err(format!("intermediate_size must be between 1 and {MOST_INTERMEDIATE}"));
        }
        let epsilon = file.layer_norm_eps.unwrap_or(1e-12);
        if !(0.0..1.0).contains(&epsilon) {
            return Err("layer_norm_eps must be at least 0 and less than 1".into());
        }
        Ok(Self {
            hidden,
            layers: file.num_hidden_layers,
            heads,
            intermediate: file.intermediate_size,
            activation,
            epsilon,
            longest: file.max_position_embeddings,
            padding: is_roberta.then(|| file.pad_token_id.unwrap_or(1)),
            judge: judging(&file, is_roberta)?,
        })
    }
}

fn judging(file: &File, is_roberta: bool) -> Result<Option<Judging>, String> {
    let architectures = file.architectures.as_deref().unwrap_or_default();
    if !architectures.iter().any(|name| name.ends_with("ForSequenceClassification")) {
        return Ok(None);
    }
    let newer = file.sentence_transformers.as_ref().and_then(|of| of.activation_fn.as_deref());
    let function = newer.or(file.sbert_ce_default_activation_function.as_deref());
    let is_sigmoid = match function.map(|name| name.rsplit('.').next().unwrap_or_default()) {
        None | Some("Sigmoid") => true,
        Some("Identity") => false,
        Some(other) => return Err(unsupported("activation function", other)),
    };
    Ok(Some(Judging { is_roberta, is_sigmoid }))
}

/// Tokens of a text at most, by `tokenizer_config.json`.
///
/// # Errors
/// What is wrong with the file, or what it needs that is not known.
pub(super) fn longest_for_tokenizer(json: &[u8]) -> Result<Option<usize>, String> {
    #[derive(Deserialize)]
    struct File {
        /// Where there is no limit, this is a number that no integer can be.
        model_max_length: Option<f64>,
        truncation_side: Option<String>,
    }
    let file: File =
        serde_json::from_slice(json).map_err(|error| bounded(&error.to_string(), 200))?;
    if let Some(other) = file.truncation_side.as_deref().filter(|side| *side != "right") {
        return Err(unsupported("truncation_side", other));
    }
    // A float that is too large becomes the largest integer.
    Ok(file.model_max_length.map(|longest| longest as usize))
}
