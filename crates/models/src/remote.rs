//! Requests to a provider: inputs in batches, and replies that are checked.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use memory::Grow;

use crate::error::{bounded, out_of_memory};
use crate::http::Client;
use crate::options::{MOST_DIMENSIONS, Remote, Settings};
use crate::provider::{Call, OUT_OF_MEMORY};
use crate::secret::Secret;
use crate::{Error, ErrorKind, Input};

/// Bytes that a number takes in JSON at most, and its comma and white space.
const NUMBER_LEN: usize = 32;
/// Bytes of a reply besides its numbers, and besides the documents that some send back.
const REPLY_LEN: usize = 1 << 20;
/// No reply is longer.
const LONGEST_REPLY: usize = 1 << 30;

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

/// Calls a provider, with one connection as long as that lasts.
pub(crate) struct Caller<'c> {
    server: &'c str,
    prompt: &'c str,
    call: Call<'c>,
    client: Client,
}

impl<'c> Caller<'c> {
    /// `server` is its name, for messages.
    pub(crate) fn new(
        server: &'c str,
        remote: &'c Remote,
        settings: &'c Settings,
        key: Option<Secret>,
        stop: &Arc<AtomicBool>,
    ) -> Self {
        let header = key.as_ref().map(|key| remote.provider.key_header(key.reveal()));
        let client = Client::new(server, &remote.url, key, header, remote.timeout, stop);
        let prompt = settings.prompt.as_deref().unwrap_or_default();
        Self { server, prompt, call: Call { remote, dim: settings.dim }, client }
    }

    /// Adds the vectors of all inputs.
    pub(crate) fn embed(
        &self,
        inputs: &[Input<'_>],
        vectors: &mut Vec<Vec<f32>>,
    ) -> Result<(), Error> {
        let mut rest = inputs;
        while !rest.is_empty() {
            let position = inputs.len() - rest.len();
            let (batch, after) = rest.split_at(batch(self.call.remote, rest));
            self.embed_batch(batch, vectors).map_err(|error| error.at(position, batch.len()))?;
            rest = after;
        }
        Ok(())
    }

    /// Adds the scores of all documents.
    pub(crate) fn rerank(
        &self,
        query: &str,
        documents: &[&str],
        scores: &mut Vec<f32>,
    ) -> Result<(), Error> {
        let most = self.call.remote.batch;
        for (number, batch) in documents.chunks(most).enumerate() {
            self.rerank_batch(query, batch, scores)
                .map_err(|error| error.at(number * most, batch.len()))?;
        }
        Ok(())
    }

    /// Adds the vectors of one request.
    fn embed_batch(&self, inputs: &[Input<'_>], vectors: &mut Vec<Vec<f32>>) -> Result<(), Error> {
        let provider = self.call.remote.provider;
        let mut texts = Vec::with_capacity(inputs.len());
        for input in inputs {
            if let Input::Text(text) = input {
                texts.push(prompted(self.prompt, text)?);
            }
        }
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
    fn rerank_batch(
        &self,
        query: &str,
        documents: &[&str],
        scores: &mut Vec<f32>,
    ) -> Result<(), Error> {
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
            message: format!("model server \"{}\" {what}", self.server),
            hint: Some(
                "Check that the options \"provider\", \"url\", \"model\", and \"dim\" of the server \
                 fit each other."
                    .into(),
            ),
            input: None,
        }
    }
}

/// A text with the prompt before it.
pub(crate) fn prompted<'t>(prompt: &str, text: &'t str) -> Result<Cow<'t, str>, Error> {
    if prompt.is_empty() {
        return Ok(text.into());
    }
    let mut prompted = String::new();
    prompted
        .try_reserve_exact(prompt.len().saturating_add(text.len()))
        .map_err(|_| out_of_memory(memory::OutOfMemory))?;
    prompted.push_str(prompt);
    prompted.push_str(text);
    Ok(prompted.into())
}

/// The most bytes that the reply has to a request of `request` bytes for so many numbers.
fn longest(numbers: usize, request: usize) -> usize {
    let numbers = numbers.saturating_mul(NUMBER_LEN);
    numbers.saturating_add(request).saturating_add(REPLY_LEN).min(LONGEST_REPLY)
}
