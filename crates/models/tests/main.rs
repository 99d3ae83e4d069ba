//! Calls of providers, to a server that has their forms and may misbehave.

mod calls;
mod faults;
mod folder;
mod forms;
mod local_damage;
mod local_models;
mod options;
mod static_models;
mod tls;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use model_server::ModelServer;
use models::{Endpoint, Error, Input};

/// A flag that is not set.
fn go() -> Arc<AtomicBool> {
    Arc::new(AtomicBool::new(false))
}

/// Options from pairs.
fn options(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

/// An endpoint named `texts`, with a key.
fn endpoint(pairs: &[(&str, &str)]) -> Endpoint {
    Endpoint::new("texts", &options(pairs), &options(&[("api_key", "key-0123456789")]))
        .expect("valid options")
}

/// An endpoint like OpenAI at the server, with more options.
fn openai(server: &ModelServer, more: &[(&str, &str)]) -> Endpoint {
    let url = format!("{}/v1", server.url());
    let mut pairs = vec![("provider", "openai"), ("url", &url), ("model", "small")];
    pairs.extend(more);
    endpoint(&pairs)
}

/// The vectors of texts.
fn embed(endpoint: &Endpoint, texts: &[&str]) -> Result<Vec<Vec<f32>>, Error> {
    let inputs: Vec<Input<'_>> = texts.iter().map(|text| Input::Text(text)).collect();
    endpoint.embed(&inputs, &go())
}
