//! `embed` and `embed_immutable`: vectors of texts and images.

use std::collections::HashMap;
use std::rc::Rc;

use memory::OutOfMemory;
use models::{Endpoint, Input};
use pgrx::PgSqlErrorCode::{ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, ERRCODE_PROTOCOL_VIOLATION};

use super::cache::{Cache, Vector};
use super::call::{Failed, call};
use super::endpoint::{Model, ModelName};
use crate::pg::array::{Items, Nullable};
use crate::pg::error::Report;
use crate::pg::function::pg_functions;
use crate::pg::varlena::{Detoasted, VARHDRSZ};
use crate::types::dense::DenseBuf;

pg_functions! {
    /// The vector of a text.
    fn embed_text(model: ModelName, text: String) -> Result<DenseBuf<f32>, Report> {
        one(&model.0, Input::Text(&text))
    }

    /// The same of a static model whose files cannot change unnoticed.
    fn embed_immutable(model: ModelName, text: String) -> Result<DenseBuf<f32>, Report> {
        check_immutable(&model.0)?;
        one(&model.0, Input::Text(&text))
    }

    /// The vectors of texts; NULL has none.
    fn embed_texts(model: ModelName, texts: Items) -> Result<Nullable<DenseBuf<f32>>, Report> {
        let texts = texts.texts()?;
        let texts = texts.iter().map(|text| text.as_deref().map(Input::Text));
        several(&model.0, &memory::collected(texts)?)
    }

    /// The vector of an image.
    fn embed_image(model: ModelName, image: Detoasted) -> Result<DenseBuf<f32>, Report> {
        one(&model.0, Input::Image(bytes(&image)))
    }

    /// The vectors of images; NULL has none.
    fn embed_images(model: ModelName, images: Items) -> Result<Nullable<DenseBuf<f32>>, Report> {
        let images = images.0.iter().map(|image| Some(Input::Image(bytes(image.as_ref()?))));
        let images: Vec<_> = memory::collected(images)?;
        several(&model.0, &images)
    }
}

fn check_immutable(model: &Model) -> Result<(), Report> {
    let lack = match (model.endpoint.is_static(), model.has_option("sha256")) {
        (true, true) => return Ok(()),
        (false, _) => "is not static",
        (true, false) => "does not tell the hash of its files",
    };
    let message = format!("server \"{}\" {lack}", model.name);
    Err(Report::new(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, message).hint(
        "embed_immutable() takes servers with the options provider 'static', path, and sha256; embed() \
         takes all.",
    ))
}

fn bytes<'a>(value: &'a Detoasted) -> &'a [u8] {
    value.slice(VARHDRSZ, value.size() - VARHDRSZ).unwrap_or_default()
}

fn one(model: &Model, input: Input) -> Result<DenseBuf<f32>, Report> {
    let vectors = vectors(model, &[input])?;
    vectors.first().map_or_else(|| Err(Report::internal("no vector")), stored)
}

fn several(model: &Model, inputs: &[Option<Input>]) -> Result<Nullable<DenseBuf<f32>>, Report> {
    let known: Vec<Input> = memory::collected(inputs.iter().flatten().copied())?;
    let mut vectors = vectors(model, &known)?.into_iter();
    let mut stored_vectors = memory::with_room(inputs.len())?;
    for input in inputs {
        let vector = input.and_then(|_| vectors.next());
        stored_vectors.push(vector.map(|vector| stored(&vector)).transpose()?);
    }
    Ok(Nullable(stored_vectors))
}

fn stored(vector: &Vector) -> Result<DenseBuf<f32>, Report> {
    if vector.iter().all(|number| number.is_finite()) {
        return DenseBuf::from_slice(vector);
    }
    Err(Report::new(ERRCODE_PROTOCOL_VIOLATION, "model gave a vector with an infinite element"))
}

/// The vectors of inputs, in their order. Equal ones are embedded once in a statement.
///
/// # Errors
/// If the model fails, or there is no memory.
pub fn vectors(model: &Model, inputs: &[Input]) -> Result<Vec<Vector>, Failed> {
    let mut found = memory::with_room(inputs.len())?;
    Cache::of_statement(|cache| {
        for &input in inputs {
            found.push(cache.get(model.number, input)?);
        }
        Ok::<_, OutOfMemory>(())
    })?;
    // Those without a vector, each once, and their places.
    let (mut missing, mut places) = (Vec::new(), HashMap::new());
    for (&input, _) in inputs.iter().zip(&found).filter(|(_, found)| found.is_none()) {
        places.try_reserve(1).map_err(|_| OutOfMemory)?;
        missing.try_reserve(1).map_err(|_| OutOfMemory)?;
        places.entry(identity(input)).or_insert_with(|| {
            missing.push(input);
            missing.len() - 1
        });
    }
    let made: Vec<Vector> = if missing.is_empty() {
        Vec::new()
    } else {
        let job = |endpoint: &Endpoint, stop: &_| endpoint.embed(&missing, stop);
        let made = call(&model.endpoint, model.embeds_at_once(&missing), job)?;
        model.has_embedded.set(true);
        memory::collected(made.into_iter().map(Rc::from))?
    };
    Cache::of_statement(|cache| {
        let mut made = missing.iter().zip(&made);
        made.try_for_each(|(&input, vector)| cache.put(model.number, input, vector))
    })?;
    let complete = found.into_iter().zip(inputs).map(|(found, &input)| {
        let place = || places.get(&identity(input)).copied();
        found.or_else(|| made.get(place()?).cloned())
    });
    let complete: Vec<Vector> = memory::collected(complete.flatten())?;
    if complete.len() == inputs.len() {
        return Ok(complete);
    }
    let message = format!("server \"{}\" gave fewer vectors than inputs", model.name);
    Err(Failed::Other(Report::new(ERRCODE_PROTOCOL_VIOLATION, message)))
}

/// What tells inputs apart.
fn identity(input: Input<'_>) -> (bool, &[u8]) {
    match input {
        Input::Text(text) => (false, text.as_bytes()),
        Input::Image(image) => (true, image),
    }
}
