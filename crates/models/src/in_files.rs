//! Calls of models in files, with the options of a server.

use std::borrow::Cow;
use std::sync::atomic::AtomicBool;

use memory::Grow;

use crate::error::{go_on, out_of_memory};
use crate::options::{Settings, Source};
use crate::provider::{LOCAL, STATIC};
use crate::remote::prompted;
use crate::{Error, ErrorKind, Input, local_model, static_model};

/// A server, and the flag that stops its calls.
pub(crate) struct Caller<'c> {
    /// Its name, for messages.
    pub(crate) server: &'c str,
    pub(crate) settings: &'c Settings,
    pub(crate) stop: &'c AtomicBool,
}

impl Caller<'_> {
    /// Adds the vectors of a static model.
    ///
    /// # Errors
    /// [`Error`], of the first input that has one.
    pub(crate) fn embed_static(
        &self,
        source: &Source,
        inputs: &[Input<'_>],
        vectors: &mut Vec<Vec<f32>>,
    ) -> Result<(), Error> {
        let model = static_model::model(&source.path, source.sha256.as_ref(), self.stop)?;
        let dimensions = self.dimensions(model.dimensions())?;
        let prompt = self.settings.prompt.as_deref().unwrap_or_default();
        let mut tokens = Vec::new();
        for (position, input) in inputs.iter().enumerate() {
            go_on(self.stop)?;
            let text = text(STATIC, prompt, input)?;
            let vector = model
                .embed(&text, dimensions, &mut tokens, self.stop)
                .map_err(|error| self.named(error.at(position, 1), "embed"))?;
            vectors.try_push(vector).map_err(out_of_memory)?;
        }
        Ok(())
    }

    /// Adds the vectors of a model that is run here.
    ///
    /// # Errors
    /// As [`Caller::embed_static`].
    pub(crate) fn embed_local(
        &self,
        source: &Source,
        inputs: &[Input<'_>],
        vectors: &mut Vec<Vec<f32>>,
    ) -> Result<(), Error> {
        let model = local_model::model(&source.path, source.sha256.as_ref(), self.stop)?;
        let dimensions = self.dimensions(model.dimensions())?;
        let prompt = self.settings.prompt.as_deref().or(model.prompt()).unwrap_or_default();
        let mut texts = memory::with_room(inputs.len()).map_err(out_of_memory)?;
        for input in inputs {
            texts.push(text(LOCAL, prompt, input)?);
        }
        model
            .embed(&texts, dimensions, vectors, self.stop)
            .map_err(|error| self.named(error, "embed"))
    }

    /// Adds the scores that a model that is run here gives documents.
    ///
    /// # Errors
    /// [`Error`], of the first document that has one.
    pub(crate) fn rerank_local(
        &self,
        source: &Source,
        query: &str,
        documents: &[&str],
        scores: &mut Vec<f32>,
    ) -> Result<(), Error> {
        let model = local_model::model(&source.path, source.sha256.as_ref(), self.stop)?;
        model
            .rerank(query, documents, scores, self.stop)
            .map_err(|error| self.named(error, "rerank"))
    }

    /// The dimensions of vectors: as many as the option says, and no more than the model has.
    fn dimensions(&self, most: usize) -> Result<usize, Error> {
        let dimensions = self.settings.dim.unwrap_or(most);
        if dimensions <= most {
            return Ok(dimensions);
        }
        let server = self.server;
        Err(Error {
            kind: ErrorKind::File,
            message: format!(
                "the model of server \"{server}\" has {most} dimensions, not {dimensions}"
            ),
            hint: Some("Set the option \"dim\" to no more than the model has.".into()),
            input: None,
        })
    }

    /// An error of a model, with the server's name if its message has to have it.
    fn named(&self, error: Error, what: &str) -> Error {
        let is_of_model =
            matches!(error.kind, ErrorKind::File | ErrorKind::Rejected | ErrorKind::Unsupported);
        if !is_of_model {
            return error;
        }
        let (server, message) = (self.server, &error.message);
        let message = format!("could not {what} with server \"{server}\": {message}");
        Error { message, ..error }
    }
}

/// An input with the prompt before it, for a provider that takes only texts.
fn text<'t>(provider: &str, prompt: &str, input: &Input<'t>) -> Result<Cow<'t, str>, Error> {
    match input {
        Input::Text(text) => prompted(prompt, text),
        Input::Image(_) => {
            let message = format!("provider \"{provider}\" cannot embed images");
            Err(Error::new(ErrorKind::Unsupported, message))
        }
    }
}
