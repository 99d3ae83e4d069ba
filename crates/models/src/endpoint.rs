//! An endpoint: a provider with its options.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use memory::Grow;

use crate::error::{bounded, out_of_memory};
use crate::http::Client;
use crate::options::{Backend, MOST_DIMENSIONS, Remote, Settings, key_source};
use crate::provider::{Call, OUT_OF_MEMORY};
use crate::secret::KeySource;
use crate::{Error, ErrorKind, Invalid};

/// How many texts of a static model are a batch, for callers that ask.
const STATIC_BATCH: usize = 1024;
/// Bytes that a number takes in JSON at most, and its comma and white space.
const NUMBER_LEN: usize = 32;
/// Bytes of a reply besides its numbers, and besides the documents that some send back.
const REPLY_LEN: usize = 1 << 20;
/// No reply is longer.
const LONGEST_REPLY: usize = 1 << 30;

/// What is to be embedded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input<'a> {
    /// A text.
    Text(&'a str),
    /// The bytes of an image file: PNG, JPEG, GIF, or WebP.
    Image(&'a [u8]),
}

/// A model that can be called.
#[derive(Clone, Debug)]
pub struct Endpoint {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    server: String,
    settings: Settings,
    key: KeySource,
}

impl Endpoint {
    /// The endpoint that the options of a foreign server and of a user mapping describe. `server` is
    /// its name, for messages.
    ///
    /// # Errors
    /// [`Invalid`] if the options are not valid, or one that the provider needs is missing.
    pub fn new(
        server: &str,
        server_options: &[(String, String)],
        user_options: &[(String, String)],
    ) -> Result<Self, Invalid> {
        let settings = Settings::new(server_options)?;
        let key = key_source(user_options)?;
        if let Backend::Remote(remote) = &settings.backend
            && remote.is_default_url
            && key == KeySource::None
        {
            return Err(Invalid {
                message: format!("model server \"{server}\" has no key for the current user"),
                detail: None,
                hint: Some(
                    "Use CREATE USER MAPPING with the option \"api_key\" to set one.".into(),
                ),
            });
        }
        Ok(Self { inner: Arc::new(Inner { server: server.into(), settings, key }) })
    }

    /// The dimensions of its vectors, if the options tell.
    pub fn dimensions(&self) -> Option<usize> {
        self.inner.settings.dim
    }

    /// How many inputs a request has at most.
    pub fn batch(&self) -> usize {
        match &self.inner.settings.backend {
            Backend::Remote(remote) => remote.batch,
            Backend::Static { .. } => STATIC_BATCH,
        }
    }

    /// Whether it is a static model: files instead of a network, and always the same vectors.
    pub fn is_static(&self) -> bool {
        matches!(self.inner.settings.backend, Backend::Static { .. })
    }

    /// Embeds any number of inputs: one vector each, in their order. Returns within 20 ms after `stop`
    /// is set. To be called with signals blocked: threads that it starts inherit that.
    ///
    /// # Errors
    /// [`Error`], for the first request that fails.
    pub fn embed(
        &self,
        inputs: &[Input<'_>],
        stop: &Arc<AtomicBool>,
    ) -> Result<Vec<Vec<f32>>, Error> {
        let mut vectors = memory::with_room(inputs.len()).map_err(out_of_memory)?;
        match &self.inner.settings.backend {
            Backend::Remote(remote) => {
                let caller = Caller::new(&self.inner, remote, stop)?;
                let mut rest = inputs;
                while !rest.is_empty() {
                    let (batch, after) = rest.split_at(batch(remote, rest));
                    let position = inputs.len() - rest.len();
                    caller
                        .embed(batch, &mut vectors)
                        .map_err(|error| error.at(position, batch.len()))?;
                    rest = after;
                }
            }
            Backend::Static { path: _path, sha256: _sha256 } => {
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    "static models are not implemented yet",
                ));
            }
        }
        Ok(vectors)
    }

    /// How relevant each document is for the query: one score each, in their order; larger is better.
    /// Returns within 20 ms after `stop` is set. To be called with signals blocked.
    ///
    /// # Errors
    /// [`Error`], for the first request that fails.
    pub fn rerank(
        &self,
        query: &str,
        documents: &[&str],
        stop: &Arc<AtomicBool>,
    ) -> Result<Vec<f32>, Error> {
        let Backend::Remote(remote) = &self.inner.settings.backend else {
            return Err(Error::new(ErrorKind::Unsupported, "provider \"static\" cannot rerank"));
        };
        let caller = Caller::new(&self.inner, remote, stop)?;
        let mut scores = memory::with_room(documents.len()).map_err(out_of_memory)?;
        for (number, batch) in documents.chunks(remote.batch).enumerate() {
            caller
                .rerank(query, batch, &mut scores)
                .map_err(|error| error.at(number * remote.batch, batch.len()))?;
        }
        Ok(scores)
    }
}

/// How many of `inputs`, of which there are some, go into the next request: they are of one kind.
fn batch(remote: &Remote, inputs: &[Input<'_>]) -> usize {
    let is_text = |input: &Input<'_>| matches!(input, Input::Text(_));
    let is_first_text = inputs.first().is_some_and(is_text);
    let most = match is_first_text {
        true => remote.batch,
        false => remote.batch.min(remote.provider.image_batch()),
    };
    inputs.iter().take(most).take_while(|input| is_text(input) == is_first_text).count()
}

/// Calls a server for one statement.
struct Caller<'c> {
    inner: &'c Inner,
    call: Call<'c>,
    client: Client,
}

impl<'c> Caller<'c> {
    fn new(inner: &'c Inner, remote: &'c Remote, stop: &Arc<AtomicBool>) -> Result<Self, Error> {
        let key = inner.key.key(&inner.server)?;
        let header = key.as_ref().map(|key| remote.provider.key_header(key.reveal()));
        let reach = remote.url.reach();
        let client = Client::new(&inner.server, reach, key, header, remote.timeout, stop);
        Ok(Self { inner, call: Call { remote, dim: inner.settings.dim }, client })
    }

    /// Adds the vectors of one request.
    fn embed(&self, inputs: &[Input<'_>], vectors: &mut Vec<Vec<f32>>) -> Result<(), Error> {
        let provider = self.call.remote.provider;
        let texts = prompted(self.inner.settings.prompt.as_deref(), inputs)?;
        let with_prompts: Vec<Input<'_>> = texts.iter().map(|text| Input::Text(text)).collect();
        let inputs = if texts.is_empty() { inputs } else { &with_prompts };
        let request = provider.embed(&self.call, inputs)?;
        let numbers = self.call.dim.unwrap_or(MOST_DIMENSIONS).saturating_mul(inputs.len());
        let body = self.client.call(&request, longest(numbers, request.body.len()))?;
        let found = provider.vectors(&body).map_err(|error| self.unreadable(&error))?;
        let found = self.ordered(found.0, inputs.len(), "vectors")?;
        let before = vectors.first().or(found.first()).map_or(1, Vec::len);
        let dimensions = self.call.dim.unwrap_or(before.clamp(1, MOST_DIMENSIONS));
        match found.iter().map(Vec::len).find(|len| *len != dimensions) {
            Some(wrong) => Err(self
                .malformed(format!("sent a vector of {wrong} dimensions, expected {dimensions}"))),
            None => vectors.try_extend(found).map_err(out_of_memory),
        }
    }

    /// Adds the scores of one request.
    fn rerank(&self, query: &str, documents: &[&str], scores: &mut Vec<f32>) -> Result<(), Error> {
        let provider = self.call.remote.provider;
        let request = provider.rerank(&self.call, query, documents)?;
        let body = self.client.call(&request, longest(documents.len(), request.body.len()))?;
        let found = provider.scores(&body).map_err(|error| self.unreadable(&error))?;
        let found = self.ordered(found.0, documents.len(), "scores")?;
        scores.try_extend(found).map_err(out_of_memory)
    }

    /// Results in the order of the inputs, of which each has one.
    fn ordered<T>(
        &self,
        mut results: Vec<(Option<usize>, T)>,
        expected: usize,
        what: &str,
    ) -> Result<Vec<T>, Error> {
        if results.len() != expected {
            return Err(
                self.malformed(format!("sent {} {what}, expected {expected}", results.len()))
            );
        }
        if results.iter().any(|(position, _)| position.is_some()) {
            results.sort_by_key(|(position, _)| *position);
            if results.iter().map(|(position, _)| *position).ne((0..expected).map(Some)) {
                return Err(self.malformed(format!("sent {what} with wrong positions")));
            }
        }
        Ok(results.into_iter().map(|(_, result)| result).collect())
    }

    /// The error of a reply that is no JSON, or of another form.
    fn unreadable(&self, error: &serde_json::Error) -> Error {
        let text = error.to_string();
        if text.starts_with(OUT_OF_MEMORY) {
            return out_of_memory(memory::OutOfMemory);
        }
        self.malformed(format!("sent a reply that cannot be read: {}", bounded(&text, 200)))
    }

    fn malformed(&self, what: String) -> Error {
        Error {
            kind: ErrorKind::Reply,
            message: format!("model server \"{}\" {what}", self.inner.server),
            hint: Some(
                "Check that the options \"provider\", \"url\", \"model\", and \"dim\" of the server \
                 fit each other."
                    .into(),
            ),
            input: None,
        }
    }
}

/// The texts with the prompt before them; nothing if there is no prompt, or these are images.
fn prompted(prompt: Option<&str>, inputs: &[Input<'_>]) -> Result<Vec<String>, Error> {
    let Some(prompt) = prompt.filter(|prompt| !prompt.is_empty()) else {
        return Ok(Vec::new());
    };
    let mut texts = Vec::new();
    for input in inputs {
        if let Input::Text(text) = input {
            let mut prompted = String::new();
            prompted
                .try_reserve_exact(prompt.len().saturating_add(text.len()))
                .map_err(|_| out_of_memory(memory::OutOfMemory))?;
            prompted.push_str(prompt);
            prompted.push_str(text);
            texts.try_push(prompted).map_err(out_of_memory)?;
        }
    }
    Ok(texts)
}

/// The most bytes that the reply has to a request of `request` bytes for so many numbers.
fn longest(numbers: usize, request: usize) -> usize {
    let numbers = numbers.saturating_mul(NUMBER_LEN);
    numbers.saturating_add(request).saturating_add(REPLY_LEN).min(LONGEST_REPLY)
}
