//! Hugging Face's Text Embeddings Inference, with its own interface.
//!
//! <https://huggingface.github.io/text-embeddings-inference/>

use serde::Serialize;

use super::{Batch, Call, Provider, Scores, Vectors, reply};
use crate::http::Request;
use crate::options::Truncate;
use crate::{Error, Input};

#[derive(Debug)]
pub(super) struct Tei;

#[derive(Serialize)]
struct Embed<'b> {
    inputs: &'b [&'b str],
    #[serde(flatten)]
    truncation: Truncation,
    #[serde(skip_serializing_if = "Option::is_none")]
    dimensions: Option<usize>,
}

#[derive(Serialize)]
struct Rerank<'b> {
    query: &'b str,
    texts: &'b [&'b str],
    #[serde(flatten)]
    truncation: Truncation,
}

/// What is cut from inputs that are too long.
#[derive(Serialize)]
pub(super) struct Truncation {
    #[serde(skip_serializing_if = "Option::is_none")]
    truncate: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    truncation_direction: Option<&'static str>,
}

impl Truncation {
    /// `directions` are the provider's words for start and end.
    pub(super) fn new(call: &Call<'_>, directions: [&'static str; 2]) -> Self {
        let truncate = call.remote.truncate;
        Self {
            truncate: truncate.map(|truncate| truncate != Truncate::None),
            truncation_direction: truncate.and_then(|truncate| match truncate {
                Truncate::None => None,
                Truncate::Start => Some(directions[0]),
                Truncate::End => Some(directions[1]),
            }),
        }
    }
}

const DIRECTIONS: [&str; 2] = ["Left", "Right"];

impl Provider for Tei {
    fn name(&self) -> &'static str {
        "tei"
    }

    fn options(&self) -> &'static [&'static str] {
        &["truncate"]
    }

    fn needs_model(&self) -> bool {
        false
    }

    fn batch(&self) -> Batch {
        Batch { usual: 32, most: 2048 }
    }

    fn embed(&self, call: &Call<'_>, inputs: &[Input<'_>]) -> Result<Request, Error> {
        let body = Embed {
            inputs: &call.texts(inputs)?,
            truncation: Truncation::new(call, DIRECTIONS),
            dimensions: call.dim,
        };
        call.post("/embed", &body)
    }

    fn vectors(&self, body: &[u8]) -> serde_json::Result<Vectors> {
        reply::arrays(body)
    }

    fn rerank(&self, call: &Call<'_>, query: &str, documents: &[&str]) -> Result<Request, Error> {
        let body =
            Rerank { query, texts: documents, truncation: Truncation::new(call, DIRECTIONS) };
        call.post("/rerank", &body)
    }

    fn scores(&self, body: &[u8]) -> serde_json::Result<Scores> {
        reply::scores(body)
    }
}
