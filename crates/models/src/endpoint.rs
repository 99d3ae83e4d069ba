//! An endpoint: a provider with its options.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::{Error, Invalid};

/// What is to be embedded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input<'a> {
    /// A text.
    Text(&'a str),
    /// The bytes of an image file, such as JPEG or PNG.
    Image(&'a [u8]),
}

/// A model that can be called.
#[derive(Clone, Debug)]
pub struct Endpoint {
    _server: Arc<str>,
}

impl Endpoint {
    /// The endpoint that the options of a foreign server and of a user mapping describe. `server` is
    /// its name, for messages.
    ///
    /// # Errors
    /// [`Invalid`] if the options are not valid, or one that the provider needs is missing.
    pub fn new(
        _server: &str,
        _server_options: &[(String, String)],
        _user_options: &[(String, String)],
    ) -> Result<Self, Invalid> {
        Err(Invalid::new("not implemented yet"))
    }

    /// The dimensions of its vectors, if the options tell.
    pub fn dimensions(&self) -> Option<usize> {
        unimplemented!()
    }

    /// How many inputs a request has at most.
    pub fn batch(&self) -> usize {
        unimplemented!()
    }

    /// Whether it is a static model: files instead of a network, and always the same vectors.
    pub fn is_static(&self) -> bool {
        unimplemented!()
    }

    /// Embeds any number of inputs: one vector each, in their order. Returns within 20 ms after `stop`
    /// is set.
    ///
    /// # Errors
    /// [`Error`], for the first request that fails.
    pub fn embed(
        &self,
        _inputs: &[Input<'_>],
        _stop: &Arc<AtomicBool>,
    ) -> Result<Vec<Vec<f32>>, Error> {
        unimplemented!()
    }

    /// How relevant each document is for the query: one score each, in their order; larger is better.
    /// Returns within 20 ms after `stop` is set.
    ///
    /// # Errors
    /// [`Error`], for the first request that fails.
    pub fn rerank(
        &self,
        _query: &str,
        _documents: &[&str],
        _stop: &Arc<AtomicBool>,
    ) -> Result<Vec<f32>, Error> {
        unimplemented!()
    }
}
