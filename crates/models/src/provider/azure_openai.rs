//! OpenAI's models in Microsoft Azure.
//!
//! <https://learn.microsoft.com/azure/ai-services/openai/reference>: the deployment is in the path.
//! With an address that ends with `/v1`, requests are as OpenAI's own.

use super::{Batch, Call, Provider, Vectors, openai, reply};
use crate::http::Request;
use crate::{Error, Input};

/// The newest version of the interface that is not a preview.
const API_VERSION: &str = "2024-10-21";

#[derive(Debug)]
pub(super) struct AzureOpenAi;

impl Provider for AzureOpenAi {
    fn name(&self) -> &'static str {
        "azure_openai"
    }

    fn options(&self) -> &'static [&'static str] {
        &["user", "api_version"]
    }

    fn batch(&self) -> Batch {
        Batch { usual: 128, most: 2048 }
    }

    fn key_header(&self, key: &str) -> (&'static str, String) {
        ("api-key", key.into())
    }

    fn embed(&self, call: &Call<'_>, inputs: &[Input<'_>]) -> Result<Request, Error> {
        if call.remote.url.ends_with("/v1") {
            return openai::embed(call, "/embeddings", Some(call.remote.model()), inputs);
        }
        let version = call.remote.api_version.as_deref().unwrap_or(API_VERSION);
        let deployment = super::segment(call.remote.model());
        let path = format!("/openai/deployments/{deployment}/embeddings?api-version={version}");
        openai::embed(call, &path, None, inputs)
    }

    fn vectors(&self, body: &[u8]) -> serde_json::Result<Vectors> {
        reply::data(body)
    }
}
