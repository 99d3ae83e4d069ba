//! An endpoint: a provider with its options.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::error::out_of_memory;
use crate::options::{Backend, Remote, Settings, key_source};
use crate::remote::Caller;
use crate::secret::KeySource;
use crate::{Error, ErrorKind, Invalid, in_files};

/// How many texts of a static model are a batch, for callers that ask.
const STATIC_BATCH: usize = 1024;
/// How many texts of a model that is run here are a batch: a second of work or less.
const LOCAL_BATCH: usize = 64;

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
            Backend::Static(_) => STATIC_BATCH,
            Backend::Local(_) => LOCAL_BATCH,
        }
    }

    /// Whether it is a static model: files instead of a network, and always the same vectors.
    pub fn is_static(&self) -> bool {
        matches!(self.inner.settings.backend, Backend::Static(_))
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
            Backend::Static(source) => {
                self.inner.in_files(stop).embed_static(source, inputs, &mut vectors)?;
            }
            Backend::Local(source) => {
                self.inner.in_files(stop).embed_local(source, inputs, &mut vectors)?;
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
        let mut scores = memory::with_room(documents.len()).map_err(out_of_memory)?;
        match &self.inner.settings.backend {
            Backend::Remote(remote) => {
                self.inner.caller(remote, stop)?.rerank(query, documents, &mut scores)?;
            }
            Backend::Static(_) => {
                let message = "provider \"static\" cannot rerank";
                return Err(Error::new(ErrorKind::Unsupported, message));
            }
            Backend::Local(source) => {
                self.inner.in_files(stop).rerank_local(source, query, documents, &mut scores)?;
            }
        }
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

    /// What calls models in files.
    fn in_files<'c>(&'c self, stop: &'c AtomicBool) -> in_files::Caller<'c> {
        in_files::Caller { server: &self.server, settings: &self.settings, stop }
    }
}
