//! Hugging Face's Inference Providers.

use serde::Serialize;

use super::tei::Truncation;
use super::{Batch, Call, Provider, Scores, Vectors, reply};
use crate::http::Request;
use crate::{Error, Input};

#[derive(Debug)]
pub(super) struct HuggingFace;

/// <https://huggingface.co/docs/inference-providers/tasks/feature-extraction>
#[derive(Serialize)]
struct Embed<'b> {
    inputs: &'b [&'b str],
    #[serde(flatten)]
    truncation: Truncation,
}

/// The task `sentence-similarity`:
/// <https://huggingface.co/docs/huggingface_hub/package_reference/inference_client>
#[derive(Serialize)]
struct Rerank<'b> {
    inputs: Similarity<'b>,
}

#[derive(Serialize)]
struct Similarity<'b> {
    source_sentence: &'b str,
    sentences: &'b [&'b str],
}

/// The path of a task of the model, whose name may have a slash.
fn path(call: &Call<'_>, task: &str) -> String {
    let model: Vec<String> = call.remote.model().split('/').map(super::segment).collect();
    format!("/models/{}/pipeline/{task}", model.join("/"))
}

impl Provider for HuggingFace {
    fn name(&self) -> &'static str {
        "huggingface"
    }

    fn url(&self) -> Option<&'static str> {
        Some("https://router.huggingface.co/hf-inference")
    }

    fn options(&self) -> &'static [&'static str] {
        &["truncate"]
    }

    fn batch(&self) -> Batch {
        Batch { usual: 32, most: 2048 }
    }

    fn embed(&self, call: &Call<'_>, inputs: &[Input<'_>]) -> Result<Request, Error> {
        let truncation = Truncation::new(call, ["left", "right"]);
        let body = Embed { inputs: &call.texts(inputs)?, truncation };
        call.post(&path(call, "feature-extraction"), &body)
    }

    fn vectors(&self, body: &[u8]) -> serde_json::Result<Vectors> {
        reply::arrays(body)
    }

    fn rerank(&self, call: &Call<'_>, query: &str, documents: &[&str]) -> Result<Request, Error> {
        let inputs = Similarity { source_sentence: query, sentences: documents };
        call.post(&path(call, "sentence-similarity"), &Rerank { inputs })
    }

    fn scores(&self, body: &[u8]) -> serde_json::Result<Scores> {
        reply::numbers(body)
    }
}
