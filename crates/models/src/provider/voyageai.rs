//! Voyage AI.

use serde::Serialize;

use super::{Batch, Call, Provider, Vectors, image, reply};
use crate::http::Request;
use crate::options::Truncate;
use crate::{Error, Input};

#[derive(Debug)]
pub(super) struct VoyageAi;

/// <https://docs.voyageai.com/reference/embeddings-api> for texts,
/// <https://docs.voyageai.com/reference/multimodal-embeddings-api> for models of texts and images.
#[derive(Serialize)]
struct Embed<'b> {
    model: &'b str,
    #[serde(flatten)]
    inputs: Inputs<'b>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input_type: Option<&'b str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    truncation: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_dimension: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Inputs<'b> {
    Input(Vec<&'b str>),
    Inputs(Vec<Multimodal<'b>>),
}

#[derive(Serialize)]
struct Multimodal<'b> {
    content: [Content<'b>; 1],
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Content<'b> {
    Text { text: &'b str },
    ImageBase64 { image_base64: String },
}

/// <https://docs.voyageai.com/reference/reranker-api>
#[derive(Serialize)]
struct Rerank<'b> {
    model: &'b str,
    query: &'b str,
    documents: &'b [&'b str],
    #[serde(skip_serializing_if = "Option::is_none")]
    truncation: Option<bool>,
}

/// Whether inputs that are too long are cut. Voyage AI always cuts at the end.
fn truncation(call: &Call<'_>) -> Option<bool> {
    call.remote.truncate.map(|truncate| truncate != Truncate::None)
}

impl Provider for VoyageAi {
    fn name(&self) -> &'static str {
        "voyageai"
    }

    fn url(&self) -> Option<&'static str> {
        Some("https://api.voyageai.com/v1")
    }

    fn options(&self) -> &'static [&'static str] {
        &["task", "truncate"]
    }

    fn tasks(&self) -> &'static [(&'static str, &'static str)] {
        &[("document", "document"), ("query", "query")]
    }

    fn batch(&self) -> Batch {
        Batch { usual: 128, most: 1000 }
    }

    fn image_batch(&self) -> usize {
        16
    }

    fn embed(&self, call: &Call<'_>, inputs: &[Input<'_>]) -> Result<Request, Error> {
        let is_multimodal = call.remote.model().starts_with("voyage-multimodal");
        let (path, inputs) = if is_multimodal {
            let mut contents = Vec::with_capacity(inputs.len());
            for input in inputs {
                let content = match input {
                    Input::Text(text) => Content::Text { text },
                    Input::Image(image) => {
                        Content::ImageBase64 { image_base64: image::data_url(image)? }
                    }
                };
                contents.push(Multimodal { content: [content] });
            }
            ("/multimodalembeddings", Inputs::Inputs(contents))
        } else {
            ("/embeddings", Inputs::Input(call.texts(inputs)?))
        };
        let body = Embed {
            model: call.remote.model(),
            inputs,
            input_type: call.remote.task.as_deref(),
            truncation: truncation(call),
            output_dimension: call.dim,
        };
        call.post(path, &body)
    }

    fn vectors(&self, body: &[u8]) -> serde_json::Result<Vectors> {
        reply::data(body)
    }

    fn rerank(&self, call: &Call<'_>, query: &str, documents: &[&str]) -> Result<Request, Error> {
        let body =
            Rerank { model: call.remote.model(), query, documents, truncation: truncation(call) };
        call.post("/rerank", &body)
    }
}
