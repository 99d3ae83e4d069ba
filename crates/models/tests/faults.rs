//! Servers that misbehave.

use model_server::{Fault, ModelServer};
use models::ErrorKind;

use crate::{embed, go, openai};

/// The error of embedding two texts.
fn failure(fault: Fault, more: &[(&str, &str)]) -> models::Error {
    let server = ModelServer::start();
    server.misbehave(fault);
    let error = embed(&openai(&server, more), &["tea", "pot"]).expect_err("a failure");
    assert!(error.hint.is_some() || error.kind == ErrorKind::Stopped);
    assert!(!error.message.contains(char::is_control) && error.message.len() < 1000, "{error}");
    error
}

#[test]
fn replies_that_are_not_as_promised() {
    for (fault, expected) in [
        (Fault::WrongCount, "sent 1 vectors, expected 2"),
        (Fault::WrongPositions, "sent vectors with wrong positions"),
        (Fault::WrongDimension, "sent a vector of 7 dimensions, expected 8"),
        (Fault::OutOfRange, "sent a reply that cannot be read: number out of range"),
        (Fault::NotJson, "sent a reply that cannot be read: expected value"),
        (Fault::OtherJson, "sent a reply that cannot be read: missing field `data`"),
    ] {
        let error = failure(fault.clone(), &[]);
        assert_eq!(error.kind, ErrorKind::Reply, "{fault:?}: {error}");
        let expected = format!("model server \"texts\" {expected}");
        assert!(error.message.starts_with(&expected), "{fault:?}: {error}");
    }
    let server = ModelServer::start();
    server.misbehave(Fault::WrongCount);
    let url = format!("{}/v1", server.url());
    let endpoint = crate::endpoint(&[("provider", "vllm"), ("url", &url), ("model", "m")]);
    let error = endpoint.rerank("tea", &["tea", "pot"], &go()).expect_err("a failure");
    assert_eq!(error.message, "model server \"texts\" sent 1 scores, expected 2");
}

#[test]
fn vectors_have_the_dimensions_of_the_options() {
    let server = ModelServer::start();
    let url = server.url();
    // Hugging Face's interface has no parameter for it, so the server sends its usual vectors.
    let pairs = [("provider", "huggingface"), ("url", &*url), ("model", "m"), ("dim", "9")];
    let error = embed(&crate::endpoint(&pairs), &["tea"]).expect_err("a failure");
    assert_eq!(error.message, "model server \"texts\" sent a vector of 8 dimensions, expected 9");
}

#[test]
fn replies_are_of_bounded_size() {
    for fault in [Fault::Huge, Fault::Endless] {
        let error = failure(fault.clone(), &[("dim", "8"), ("timeout", "60s")]);
        assert_eq!(error.kind, ErrorKind::Reply, "{fault:?}: {error}");
        assert!(error.message.contains("sent a reply of more than"), "{fault:?}: {error}");
    }
    let error = failure(Fault::EndlessHeaders, &[("timeout", "60s")]);
    assert_eq!(error.kind, ErrorKind::Connection, "{error}");
}

#[test]
fn connections_that_break() {
    for fault in [Fault::Closed, Fault::Half] {
        let error = failure(fault.clone(), &[]);
        assert_eq!(error.kind, ErrorKind::Connection, "{fault:?}: {error}");
        assert!(error.message.starts_with("could not call model server \"texts\": "), "{error}");
    }
}

#[test]
fn redirects_are_not_followed() {
    let other = ModelServer::start();
    for to in [other.url(), "http://169.254.169.254/latest/meta-data/".into()] {
        let error = failure(Fault::Redirect(to), &[]);
        assert_eq!(error.kind, ErrorKind::Refused);
        assert_eq!(error.message, "model server \"texts\" answered with HTTP status 302");
        assert!(error.hint.expect("a hint").starts_with("Redirects are not followed."));
    }
    assert!(other.requests().is_empty());
}

#[test]
fn a_key_that_is_sent_back_is_not_shown() {
    let error = failure(Fault::Echo, &[]);
    assert_eq!(error.kind, ErrorKind::Refused);
    assert!(error.message.contains("bad key: "), "{error}");
    assert!(error.message.contains("[secret]"), "{error}");
    assert!(!format!("{error:?}").contains("0123"), "{error:?}");
}
