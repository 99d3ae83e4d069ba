//! vLLM: OpenAI's interface, images as messages, and reranking.
//!
//! <https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html>

use serde::Serialize;

use super::{Batch, Call, Provider, Vectors, image, openai, reply};
use crate::http::Request;
use crate::{Error, Input};

#[derive(Debug)]
pub(super) struct Vllm;

#[derive(Serialize)]
struct Image<'b> {
    model: &'b str,
    messages: [Message; 1],
    encoding_format: &'static str,
}

#[derive(Serialize)]
struct Message {
    role: &'static str,
    content: Vec<Content>,
}

#[derive(Serialize)]
struct Content {
    r#type: &'static str,
    image_url: ImageUrl,
}

#[derive(Serialize)]
struct ImageUrl {
    url: String,
}

#[derive(Serialize)]
struct Rerank<'b> {
    #[serde(skip_serializing_if = "str::is_empty")]
    model: &'b str,
    query: &'b str,
    documents: &'b [&'b str],
    #[serde(skip_serializing_if = "Option::is_none")]
    truncate_prompt_tokens: Option<usize>,
}

impl Provider for Vllm {
    fn name(&self) -> &'static str {
        "vllm"
    }

    fn options(&self) -> &'static [&'static str] {
        &["max_tokens", "user"]
    }

    fn batch(&self) -> Batch {
        Batch { usual: 32, most: 2048 }
    }

    fn image_batch(&self) -> usize {
        1
    }

    fn embed(&self, call: &Call<'_>, inputs: &[Input<'_>]) -> Result<Request, Error> {
        let model = call.remote.model();
        let mut content = Vec::new();
        for input in inputs {
            match input {
                Input::Text(_) => return openai::embed(call, "/embeddings", Some(model), inputs),
                Input::Image(image) => content.push(Content {
                    r#type: "image_url",
                    image_url: ImageUrl { url: image::data_url(image)? },
                }),
            }
        }
        let messages = [Message { role: "user", content }];
        call.post("/embeddings", &Image { model, messages, encoding_format: "float" })
    }

    fn vectors(&self, body: &[u8]) -> serde_json::Result<Vectors> {
        reply::data(body)
    }

    fn rerank(&self, call: &Call<'_>, query: &str, documents: &[&str]) -> Result<Request, Error> {
        let body = Rerank {
            model: call.remote.model(),
            query,
            documents,
            truncate_prompt_tokens: call.remote.max_tokens,
        };
        call.post("/rerank", &body)
    }
}
