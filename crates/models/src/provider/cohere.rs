//! Cohere.

use serde::{Deserialize, Serialize};

use super::reply::{self, Numbers, Sequence};
use super::{Batch, Call, Provider, Vectors, image};
use crate::http::Request;
use crate::options::Truncate;
use crate::{Error, Input};

#[derive(Debug)]
pub(super) struct Cohere;

/// <https://docs.cohere.com/reference/embed>
#[derive(Serialize)]
struct Embed<'b> {
    model: &'b str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    texts: Vec<&'b str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    images: Vec<String>,
    input_type: &'b str,
    embedding_types: [&'static str; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    output_dimension: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    truncate: Option<&'static str>,
}

/// <https://docs.cohere.com/reference/rerank>
#[derive(Serialize)]
struct Rerank<'b> {
    model: &'b str,
    query: &'b str,
    documents: &'b [&'b str],
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens_per_doc: Option<usize>,
}

impl Provider for Cohere {
    fn name(&self) -> &'static str {
        "cohere"
    }

    fn url(&self) -> Option<&'static str> {
        Some("https://api.cohere.com")
    }

    fn options(&self) -> &'static [&'static str] {
        &["task", "truncate", "max_tokens"]
    }

    fn tasks(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("document", "search_document"),
            ("query", "search_query"),
            ("classification", "classification"),
            ("clustering", "clustering"),
        ]
    }

    fn batch(&self) -> Batch {
        Batch { usual: 96, most: 96 }
    }

    fn image_batch(&self) -> usize {
        1
    }

    fn embed(&self, call: &Call<'_>, inputs: &[Input<'_>]) -> Result<Request, Error> {
        let (mut texts, mut images) = (Vec::new(), Vec::new());
        for input in inputs {
            match input {
                Input::Text(text) => texts.push(*text),
                Input::Image(image) => images.push(image::data_url(image)?),
            }
        }
        let task = call.remote.task.as_deref().unwrap_or("search_document");
        let body = Embed {
            model: call.remote.model(),
            input_type: if images.is_empty() { task } else { "image" },
            texts,
            images,
            embedding_types: ["float"],
            output_dimension: call.dim,
            truncate: call.remote.truncate.map(|truncate| match truncate {
                Truncate::None => "NONE",
                Truncate::Start => "START",
                Truncate::End => "END",
            }),
        };
        call.post("/v2/embed", &body)
    }

    fn vectors(&self, body: &[u8]) -> serde_json::Result<Vectors> {
        #[derive(Deserialize)]
        struct Reply {
            embeddings: Embeddings,
        }
        #[derive(Deserialize)]
        struct Embeddings {
            float: Sequence<Numbers>,
        }
        let reply: Reply = serde_json::from_slice(body)?;
        Ok(reply::in_order(reply.embeddings.float))
    }

    fn rerank(&self, call: &Call<'_>, query: &str, documents: &[&str]) -> Result<Request, Error> {
        let body = Rerank {
            model: call.remote.model(),
            query,
            documents,
            max_tokens_per_doc: call.remote.max_tokens,
        };
        call.post("/v2/rerank", &body)
    }
}
