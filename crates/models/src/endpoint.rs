//! An endpoint: a provider with its options.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use memory::Grow;

use crate::error::out_of_memory;
use crate::options::{Backend, Remote, Settings, key_source};
use crate::remote::{Caller, prompted};
use crate::secret::KeySource;
use crate::static_model::{self, StaticModel};
use crate::{Error, ErrorKind, Invalid};

/// How many texts of a static model are a batch, for callers that ask.
const STATIC_BATCH: usize = 1024;

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
                self.inner.caller(remote, stop)?.embed(inputs, &mut vectors)?;
            }
            Backend::Static { path, sha256 } => {
                let model = static_model::model(path, sha256.as_ref())?;
                self.inner.embed_static(&model, inputs, &mut vectors, stop)?;
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
        let mut scores = memory::with_room(documents.len()).map_err(out_of_memory)?;
        self.inner.caller(remote, stop)?.rerank(query, documents, &mut scores)?;
        Ok(scores)
    }
}

impl Inner {
    /// What calls the provider, with the key as it is now.
    fn caller<'c>(
        &'c self,
        remote: &'c Remote,
        stop: &Arc<AtomicBool>,
    ) -> Result<Caller<'c>, Error> {
        let key = self.key.key(&self.server)?;
        Ok(Caller::new(&self.server, remote, &self.settings, key, stop))
    }

    /// Adds the vectors of a static model.
    fn embed_static(
        &self,
        model: &StaticModel,
        inputs: &[Input<'_>],
        vectors: &mut Vec<Vec<f32>>,
        stop: &AtomicBool,
    ) -> Result<(), Error> {
        let server = &self.server;
        let dimensions = self.settings.dim.unwrap_or(model.dimensions());
        if dimensions > model.dimensions() {
            return Err(Error {
                kind: ErrorKind::File,
                message: format!(
                    "the model of server \"{server}\" has {} dimensions, not {dimensions}",
                    model.dimensions()
                ),
                hint: Some("Set the option \"dim\" to no more than the model has.".into()),
                input: None,
            });
        }
        let prompt = self.settings.prompt.as_deref().unwrap_or_default();
        let mut tokens = Vec::new();
        for (position, input) in inputs.iter().enumerate() {
            if stop.load(Ordering::Relaxed) {
                return Err(Error::stopped());
            }
            let text = match input {
                Input::Text(text) => prompted(prompt, text)?,
                Input::Image(_) => {
                    let message = "provider \"static\" cannot embed images";
                    return Err(Error::new(ErrorKind::Unsupported, message));
                }
            };
            let vector = model.embed(&text, dimensions, &mut tokens, stop).map_err(|error| {
                let error = error.at(position, 1);
                if !matches!(error.kind, ErrorKind::File | ErrorKind::Rejected) {
                    return error;
                }
                let message = &error.message;
                let message = format!("could not embed with server \"{server}\": {message}");
                Error { message, ..error }
            })?;
            vectors.try_push(vector).map_err(out_of_memory)?;
        }
        Ok(())
    }
}
