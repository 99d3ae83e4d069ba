//! Providers: how each wants requests, and what it replies. One file each.
//!
//! A provider knows JSON and paths. It knows neither network nor files.

mod azure_openai;
mod cohere;
mod gemini;
mod huggingface;
mod image;
mod openai;
mod reply;
mod tei;
mod vllm;
mod voyageai;

use serde::Serialize;

pub(crate) use reply::{OUT_OF_MEMORY, Scores, Vectors, message};

use crate::error::out_of_memory;
use crate::http::Request;
use crate::options::Remote;
use crate::{Error, ErrorKind, Input};

/// The providers that are folders of files.
pub(crate) const STATIC: &str = "static";
pub(crate) const LOCAL: &str = "local";

const ALL: [&dyn Provider; 8] = [
    &openai::OpenAi,
    &azure_openai::AzureOpenAi,
    &cohere::Cohere,
    &voyageai::VoyageAi,
    &tei::Tei,
    &vllm::Vllm,
    &gemini::Gemini,
    &huggingface::HuggingFace,
];

/// How many inputs a request has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Batch {
    /// Unless the option `batch` says otherwise.
    pub(crate) usual: usize,
    /// The most that the provider takes.
    pub(crate) most: usize,
}

/// A service with models.
pub(crate) trait Provider: Sync + std::fmt::Debug {
    /// The value of the option `provider`.
    fn name(&self) -> &'static str;

    /// Its own address, if it has one.
    fn url(&self) -> Option<&'static str> {
        None
    }

    /// Its options, besides those that all have.
    fn options(&self) -> &'static [&'static str] {
        &[]
    }

    /// Whether the option `model` is required.
    fn needs_model(&self) -> bool {
        true
    }

    /// The values of the option `task`, and what the provider calls them.
    fn tasks(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    /// How many inputs a request has.
    fn batch(&self) -> Batch;

    /// How many images a request has at most.
    fn image_batch(&self) -> usize {
        usize::MAX
    }

    /// The header that carries a key.
    fn key_header(&self, key: &str) -> (&'static str, String) {
        ("authorization", format!("Bearer {key}"))
    }

    /// The request for the vectors of `inputs`, which are all texts or all images.
    fn embed(&self, call: &Call<'_>, inputs: &[Input<'_>]) -> Result<Request, Error>;

    /// The vectors in a reply.
    fn vectors(&self, body: &[u8]) -> serde_json::Result<Vectors>;

    /// The request for the scores of `documents`.
    fn rerank(&self, call: &Call<'_>, _: &str, _: &[&str]) -> Result<Request, Error> {
        Err(call.unsupported("rerank"))
    }

    /// The scores in a reply.
    fn scores(&self, body: &[u8]) -> serde_json::Result<Scores> {
        reply::results(body)
    }
}

/// The provider of this name.
pub(crate) fn find(name: &str) -> Option<&'static dyn Provider> {
    ALL.into_iter().find(|provider| provider.name() == name)
}

/// The names of all providers.
pub(crate) fn names() -> Vec<&'static str> {
    ALL.iter().map(|provider| provider.name()).chain([STATIC, LOCAL]).collect()
}

/// The options that a request depends on.
pub(crate) struct Call<'c> {
    pub(crate) remote: &'c Remote,
    /// The dimensions to ask for.
    pub(crate) dim: Option<usize>,
}

impl Call<'_> {
    /// A request to `path` with `body`.
    fn post(&self, path: &str, body: &impl Serialize) -> Result<Request, Error> {
        Ok(Request { url: self.remote.url.with(path), body: encode(body)? })
    }

    /// The texts among `inputs`, for a provider that takes nothing else.
    fn texts<'i>(&self, inputs: &[Input<'i>]) -> Result<Vec<&'i str>, Error> {
        inputs
            .iter()
            .map(|input| match input {
                Input::Text(text) => Ok(*text),
                Input::Image(_) => Err(self.unsupported("embed images")),
            })
            .collect()
    }

    fn unsupported(&self, what: &str) -> Error {
        let name = self.remote.provider.name();
        Error::new(ErrorKind::Unsupported, format!("provider \"{name}\" cannot {what}"))
    }
}

/// `body` as JSON.
fn encode(body: &impl Serialize) -> Result<Vec<u8>, Error> {
    /// Grows only as far as there is memory.
    struct Growing(Vec<u8>);

    impl std::io::Write for Growing {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.try_reserve(bytes.len())?;
            self.0.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    let mut growing = Growing(Vec::new());
    // Nothing that is sent has keys or numbers that JSON cannot express.
    serde_json::to_writer(&mut growing, body).map_err(|_| out_of_memory(memory::OutOfMemory))?;
    Ok(growing.0)
}

/// `name` as one segment of a path.
fn segment(name: &str) -> String {
    use std::fmt::Write;

    let mut segment = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                segment.push(byte.into());
            }
            _ => write!(segment, "%{byte:02X}").expect("a string takes all"),
        }
    }
    // These would go up in the path.
    if matches!(segment.as_str(), "." | "..") { segment.replace('.', "%2E") } else { segment }
}
