//! Google's Gemini.

use serde::{Deserialize, Serialize};

use super::reply::{Numbers, Sequence};
use super::{Batch, Call, Provider, Vectors, image};
use crate::http::Request;
use crate::{Error, Input};

#[derive(Debug)]
pub(super) struct Gemini;

/// <https://ai.google.dev/api/embeddings>
#[derive(Serialize)]
struct Body<'b> {
    requests: Vec<Embed<'b>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Embed<'b> {
    model: &'b str,
    content: Content<'b>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task_type: Option<&'b str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_dimensionality: Option<usize>,
}

#[derive(Serialize)]
struct Content<'b> {
    parts: [Part<'b>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum Part<'b> {
    Text(&'b str),
    #[serde(rename_all = "camelCase")]
    InlineData {
        mime_type: &'static str,
        data: String,
    },
}

impl Provider for Gemini {
    fn name(&self) -> &'static str {
        "gemini"
    }

    fn url(&self) -> Option<&'static str> {
        Some("https://generativelanguage.googleapis.com/v1beta")
    }

    fn options(&self) -> &'static [&'static str] {
        &["task"]
    }

    fn tasks(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("document", "RETRIEVAL_DOCUMENT"),
            ("query", "RETRIEVAL_QUERY"),
            ("similarity", "SEMANTIC_SIMILARITY"),
            ("classification", "CLASSIFICATION"),
            ("clustering", "CLUSTERING"),
            ("code_query", "CODE_RETRIEVAL_QUERY"),
            ("question", "QUESTION_ANSWERING"),
            ("fact", "FACT_VERIFICATION"),
        ]
    }

    fn batch(&self) -> Batch {
        Batch { usual: 100, most: 100 }
    }

    fn image_batch(&self) -> usize {
        6
    }

    fn key_header(&self, key: &str) -> (&'static str, String) {
        ("x-goog-api-key", key.into())
    }

    fn embed(&self, call: &Call<'_>, inputs: &[Input<'_>]) -> Result<Request, Error> {
        let name = call.remote.model().trim_start_matches("models/");
        let model = format!("models/{name}");
        let mut requests = Vec::with_capacity(inputs.len());
        for input in inputs {
            let part = match input {
                Input::Text(text) => Part::Text(text),
                Input::Image(image) => Part::InlineData {
                    mime_type: image::media_type(image)?,
                    data: image::base64("", image)?,
                },
            };
            requests.push(Embed {
                model: &model,
                content: Content { parts: [part] },
                task_type: call.remote.task.as_deref(),
                output_dimensionality: call.dim,
            });
        }
        let path = format!("/models/{}:batchEmbedContents", super::segment(name));
        call.post(&path, &Body { requests })
    }

    fn vectors(&self, body: &[u8]) -> serde_json::Result<Vectors> {
        #[derive(Deserialize)]
        struct Reply {
            embeddings: Sequence<Embedding>,
        }
        #[derive(Deserialize)]
        struct Embedding {
            values: Numbers,
        }
        let embeddings = serde_json::from_slice::<Reply>(body)?.embeddings.0.into_iter();
        Ok(Vectors(embeddings.map(|embedding| (None, embedding.values.into_vec())).collect()))
    }
}
