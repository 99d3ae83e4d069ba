//! OpenAI, and the many servers with its interface.

use serde::Serialize;

use super::{Batch, Call, Provider, Vectors, reply};
use crate::http::Request;
use crate::{Error, Input};

#[derive(Debug)]
pub(super) struct OpenAi;

/// <https://platform.openai.com/docs/api-reference/embeddings/create>
#[derive(Serialize)]
struct Body<'b> {
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<&'b str>,
    input: &'b [&'b str],
    #[serde(skip_serializing_if = "Option::is_none")]
    dimensions: Option<usize>,
    encoding_format: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'b str>,
}

/// A request to `path`, with the model in it or not.
pub(super) fn embed(
    call: &Call<'_>,
    path: &str,
    model: Option<&str>,
    inputs: &[Input<'_>],
) -> Result<Request, Error> {
    let body = Body {
        model,
        input: &call.texts(inputs)?,
        dimensions: call.dim,
        encoding_format: "float",
        user: call.remote.user.as_deref(),
    };
    call.post(path, &body)
}

impl Provider for OpenAi {
    fn name(&self) -> &'static str {
        "openai"
    }

    fn url(&self) -> Option<&'static str> {
        Some("https://api.openai.com/v1")
    }

    fn options(&self) -> &'static [&'static str] {
        &["user"]
    }

    fn batch(&self) -> Batch {
        Batch { usual: 128, most: 2048 }
    }

    fn embed(&self, call: &Call<'_>, inputs: &[Input<'_>]) -> Result<Request, Error> {
        embed(call, "/embeddings", Some(call.remote.model()), inputs)
    }

    fn vectors(&self, body: &[u8]) -> serde_json::Result<Vectors> {
        reply::data(body)
    }
}
