//! HTTPS: whose certificates are accepted.
//!
//! A process reads the root certificates once, so each case is a process of its own: this program,
//! asked for the test [`as_told`].

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::thread;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::{embed, endpoint};

/// The address that [`as_told`] calls.
const URL: &str = "MODELS_TEST_URL";

fn data(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tls").join(file)
}

/// Answers every request at the port that it returns with the same vector, over TLS.
fn serve() -> u16 {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = PrivateKeyDer::from_pem_file(data("server.key")).expect("a key");
    let certificate = CertificateDer::from_pem_file(data("server.pem")).expect("a certificate");
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions of TLS")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("a certificate with its key");
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("a port").port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let connection = ServerConnection::new(Arc::clone(&config)).expect("a connection");
            // Clients that do not trust the certificate go away.
            let _ = answer(BufReader::new(StreamOwned::new(connection, stream)));
        }
    });
    port
}

fn answer(mut client: BufReader<impl Read + Write>) -> std::io::Result<()> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        client.read_line(&mut line)?;
        match line.trim_end().split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.parse().unwrap_or(0);
            }
            Some(_) => {}
            None if line.trim_end().is_empty() => break,
            None => {}
        }
    }
    client.read_exact(&mut vec![0; length])?;
    let body = "[[0.5, 0.25]]";
    let client = client.get_mut();
    write!(client, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())?;
    client.flush()
}

/// Calls what the environment says, if it does: one case of the test below.
#[test]
fn as_told() {
    if let Ok(url) = std::env::var(URL) {
        match embed(&endpoint(&[("provider", "tei"), ("url", &url)]), &["tea"]) {
            Ok(vectors) => println!("vectors: {vectors:?}"),
            Err(error) => println!("error: {error:?}"),
        }
    }
}

#[test]
fn certificates_are_those_of_the_host_and_of_an_authority_that_is_trusted() {
    let port = serve();
    let call = |host: &str, roots: PathBuf| {
        let program = std::env::current_exe().expect("this program");
        let output = Command::new(program)
            .args(["--exact", "tls::as_told", "--nocapture"])
            .env(URL, format!("https://{host}:{port}"))
            .env("SSL_CERT_FILE", roots)
            .env_remove("SSL_CERT_DIR")
            // Proxies of the environment are not used.
            .env("https_proxy", "http://127.0.0.1:1")
            .env("ALL_PROXY", "http://127.0.0.1:1")
            .output();
        String::from_utf8_lossy(&output.expect("a process").stdout).into_owned()
    };
    let trusted = call("localhost", data("ca.pem"));
    assert!(trusted.contains("vectors: [[0.5, 0.25]]"), "{trusted}");
    for (host, roots, expected) in [
        ("localhost", "none.pem", "invalid peer certificate: UnknownIssuer"),
        ("127.0.0.1", "ca.pem", "invalid peer certificate: certificate not valid for name"),
    ] {
        let refused = call(host, data(roots));
        assert!(refused.contains("kind: Connection"), "{refused}");
        assert!(refused.contains(expected), "{refused}");
    }
}
