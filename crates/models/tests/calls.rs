//! How calls are made.

use std::sync::atomic::Ordering;
use std::thread;

use model_server::{DIMENSIONS, Fault, ModelServer, embedding};
use models::{Endpoint, ErrorKind, Input};

use crate::{embed, endpoint, go, openai, options};

#[test]
fn many_inputs_are_sent_in_batches_on_one_connection() {
    let server = ModelServer::start();
    let texts: Vec<String> = (0..25).map(|number| format!("text {number}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let endpoint = openai(&server, &[("batch", "10")]);
    let vectors = embed(&endpoint, &texts).expect("vectors");
    assert!(
        vectors.iter().zip(&texts).all(|(vector, text)| *vector == embedding(text, DIMENSIONS))
    );
    let sizes: Vec<usize> =
        server.requests().iter().map(|r| r.body["input"].as_array().map_or(0, Vec::len)).collect();
    assert_eq!(sizes, [10, 10, 5]);
    assert_eq!(server.connections(), 1);
    assert_eq!(endpoint.batch(), 10);
    assert_eq!(endpoint.dimensions(), None);
}

#[test]
fn nothing_is_sent_for_nothing() {
    let server = ModelServer::start();
    assert_eq!(embed(&openai(&server, &[]), &[]), Ok(Vec::new()));
    assert!(server.requests().is_empty());
}

#[test]
fn a_server_that_is_busy_or_fails_is_asked_again() {
    let server = ModelServer::start();
    for (status, retry_after) in [(429, Some(0)), (429, None), (500, Some(0)), (503, Some(0))] {
        server.forget();
        server.misbehave(Fault::Status { status, times: 2, retry_after });
        assert!(embed(&openai(&server, &[]), &["tea"]).is_ok(), "{status}");
        assert_eq!(server.requests().len(), 3, "{status}");
    }
}

#[test]
fn retries_end_with_the_timeout() {
    let server = ModelServer::start();
    server.misbehave(Fault::Status { status: 500, times: usize::MAX, retry_after: None });
    let error = embed(&openai(&server, &[("timeout", "900ms")]), &["tea"]).expect_err("failures");
    assert_eq!(error.kind, ErrorKind::Connection);
    assert_eq!(
        error.message,
        "model server \"texts\" answered with HTTP status 500: a failure of the test server"
    );
    assert!(server.requests().len() > 1);
    // It would take too long.
    server.forget();
    server.misbehave(Fault::Status { status: 429, times: usize::MAX, retry_after: Some(3600) });
    let error = embed(&openai(&server, &[]), &["tea"]).expect_err("busy");
    assert_eq!(error.kind, ErrorKind::Connection);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_refusal_is_not_repeated() {
    let server = ModelServer::start();
    for (status, kind) in [
        (400, ErrorKind::Rejected),
        (413, ErrorKind::Rejected),
        (422, ErrorKind::Rejected),
        (401, ErrorKind::Refused),
        (402, ErrorKind::Refused),
        (403, ErrorKind::Refused),
        (404, ErrorKind::Refused),
        (405, ErrorKind::Refused),
        (410, ErrorKind::Refused),
        (501, ErrorKind::Connection),
    ] {
        server.forget();
        server.misbehave(Fault::Status { status, times: usize::MAX, retry_after: None });
        let error = embed(&openai(&server, &[]), &["tea", "pot"]).expect_err("refused");
        assert_eq!((error.kind, error.input), (kind, None), "{status}");
        assert_eq!(server.requests().len(), 1, "{status}");
    }
}

#[test]
fn an_input_that_was_sent_alone_is_named() {
    let server = ModelServer::start();
    server.misbehave(Fault::Poison);
    let endpoint = openai(&server, &[("batch", "1")]);
    let error = embed(&endpoint, &["tea", "a poison", "pot"]).expect_err("refused");
    assert_eq!((error.kind, error.input), (ErrorKind::Rejected, Some(1)));
    // A key that is refused is so with every input.
    server.misbehave(Fault::Status { status: 401, times: usize::MAX, retry_after: None });
    let error = embed(&endpoint, &["tea"]).expect_err("refused");
    assert_eq!((error.kind, error.input), (ErrorKind::Refused, None));
}

#[test]
fn calls_are_stopped_wherever_they_wait() {
    let busy = Fault::Status { status: 503, times: 1, retry_after: Some(30) };
    for fault in [Fault::Silent, Fault::Stalled, Fault::Trickling, busy] {
        let server = ModelServer::start();
        server.misbehave(fault.clone());
        let endpoint = openai(&server, &[("timeout", "60s")]);
        let stop = go();
        let call = thread::spawn({
            let stop = stop.clone();
            move || endpoint.embed(&[Input::Text("tea")], &stop)
        });
        server.wait_for_requests(1);
        stop.store(true, Ordering::Relaxed);
        let error = call.join().expect("no panic").expect_err("stopped");
        assert_eq!(error.kind, ErrorKind::Stopped, "{fault:?}: {error}");
    }
}

#[test]
fn the_timeout_is_for_all_of_a_call() {
    for fault in [Fault::Silent, Fault::Stalled, Fault::Trickling] {
        let server = ModelServer::start();
        server.misbehave(fault.clone());
        let error = embed(&openai(&server, &[("timeout", "200ms")]), &["tea"]).expect_err("late");
        assert_eq!(error.kind, ErrorKind::Timeout, "{fault:?}: {error}");
        assert_eq!(error.message, "model server \"texts\" did not answer within 200 ms");
    }
}

#[test]
fn http_without_permission_is_for_this_host_after_resolution_too() {
    // A name that is no address of this host: it is not even looked up, as the URL is refused.
    let refused = Endpoint::new(
        "texts",
        &options(&[("provider", "tei"), ("url", "http://192.0.2.1")]),
        &options(&[]),
    );
    assert!(refused.is_err());
    // The same server by its name, by its address, and by IPv6's form of that.
    let server = ModelServer::start();
    for host in ["localhost", "127.0.0.1", "[::ffff:127.0.0.1]"] {
        let url = format!("http://{host}:{}", server.port());
        let endpoint = endpoint(&[("provider", "tei"), ("url", &url)]);
        assert!(embed(&endpoint, &["tea"]).is_ok(), "{host}");
    }
}

#[test]
fn metadata_services_are_not_called() {
    for host in [
        "169.254.169.254",
        "[fe80::1]",
        "[::ffff:169.254.169.254]",
        "[64:ff9b::a9fe:a9fe]",
        "[fd00:ec2::254]",
        "0.0.0.0",
        "[::]",
        "224.0.0.1",
        // Forms of addresses that resolvers of C know.
        "0xa9fea9fe",
        "2852039166",
        "0251.0376.0251.0376",
    ] {
        let url = format!("http://{host}/latest");
        let endpoint = endpoint(&[("provider", "tei"), ("url", &url), ("allow_http", "true")]);
        let error = embed(&endpoint, &["tea"]).expect_err("refused");
        assert_eq!(error.kind, ErrorKind::Forbidden, "{host}: {error}");
    }
}

#[test]
fn a_server_that_is_not_there_is_a_connection_error() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr());
    let url = format!("http://{}", port.expect("a port"));
    let error =
        embed(&endpoint(&[("provider", "tei"), ("url", &url)]), &["tea"]).expect_err("none");
    assert_eq!(error.kind, ErrorKind::Connection);
    assert!(error.message.starts_with("could not call model server \"texts\": "), "{error}");
}
