//! Calls: a request is sent, again if the server asks for it, and the reply is read.

use std::hash::{BuildHasher, RandomState};
use std::io::Read;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use ureq::config::Config;
use ureq::http::{HeaderMap, Response};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::unversioned::transport::{Connector, RustlsConnector};
use ureq::{Agent, Body};

use super::transport::{CheckedConnector, CheckedResolver, Refused};
use super::url::Url;
use super::watch::{GivenUp, TooManyAbandoned, Watch};
use crate::error::{bounded, out_of_memory};
use crate::secret::Secret;
use crate::{Error, ErrorKind};

/// Most bytes that are read of a reply that reports an error.
const LONGEST_ERROR: usize = 65_536;
const READ_SIZE: usize = 65_536;
/// The wait before the second attempt; it doubles with each further one.
const FIRST_DELAY: Duration = Duration::from_millis(200);
const LONGEST_DELAY: Duration = Duration::from_secs(10);

/// What is sent to a server with POST.
#[derive(Debug)]
pub(crate) struct Request {
    /// The complete address.
    pub(crate) url: String,
    /// JSON.
    pub(crate) body: Vec<u8>,
}

/// Makes calls to one server, and keeps its connection between them.
pub(crate) struct Client {
    agent: Agent,
    watch: Arc<Watch>,
    server: String,
    key: Option<Secret>,
    key_header: Option<(&'static str, String)>,
    timeout: Duration,
}

impl Client {
    /// `server` is its name, for messages. Every call may take `timeout`, and all end at `stop`.
    pub(crate) fn new(
        server: &str,
        url: &Url,
        key: Option<Secret>,
        key_header: Option<(&'static str, String)>,
        timeout: Duration,
        stop: &Arc<AtomicBool>,
    ) -> Self {
        let watch = Arc::new(Watch::new(stop));
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::Specific(if url.is_https() { roots() } else { Arc::default() }))
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let config = Config::builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .max_response_header_size(16_384)
            .user_agent(concat!("vector_ext/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls)
            .build();
        let reach = url.reach();
        let connector = CheckedConnector { watch: Arc::clone(&watch), reach };
        let resolver = CheckedResolver { watch: Arc::clone(&watch), reach };
        let agent =
            Agent::with_parts(config, connector.chain(RustlsConnector::default()), resolver);
        Self { agent, watch, server: server.into(), key, key_header, timeout }
    }

    /// The body of the reply, of at most `longest` bytes.
    ///
    /// # Errors
    /// [`Error`], which names the server.
    pub(crate) fn call(&self, request: &Request, longest: usize) -> Result<Vec<u8>, Error> {
        self.watch.begin(self.timeout);
        let mut delay = FIRST_DELAY;
        loop {
            let reply = self.send(request)?;
            let status = reply.status().as_u16();
            if (200..300).contains(&status) {
                return self.read(reply, longest);
            }
            let asked = retry_after(reply.headers());
            let error = self.failure(status, reply)?;
            let again = status == 429 || (status >= 500 && status != 501 && status != 505);
            // What several sessions were refused at once, they should not send again at once.
            let spread =
                delay.mul_f64(1.0 + f64::from(RandomState::new().hash_one(0) as u16) / 131_072.0);
            let wait = asked.unwrap_or(spread);
            match self.watch.left() {
                Err(GivenUp::Stopped) => return Err(Error::stopped()),
                Ok(left) if again && wait < left => {}
                Ok(_) | Err(GivenUp::TimedOut) => return Err(error),
            }
            self.watch.sleep(wait).map_err(|reason| self.given_up(reason))?;
            delay = (delay * 2).min(LONGEST_DELAY);
        }
    }

    fn send(&self, request: &Request) -> Result<Response<Body>, Error> {
        let mut builder = self.agent.post(&request.url).header("content-type", "application/json");
        if let Some((name, value)) = &self.key_header {
            builder = builder.header(*name, value);
        }
        builder.send(&request.body[..]).map_err(|error| self.broken(&error))
    }

    /// All of a body that is not too long.
    fn read(&self, reply: Response<Body>, longest: usize) -> Result<Vec<u8>, Error> {
        let too_long = || Error {
            kind: ErrorKind::Reply,
            message: format!(
                "model server \"{}\" sent a reply of more than {longest} bytes",
                self.server
            ),
            hint: Some("Check that the options \"url\" and \"dim\" fit the model.".into()),
            input: None,
        };
        if reply.body().content_length().is_some_and(|length| length > longest as u64) {
            return Err(too_long());
        }
        let mut reader = reply.into_body().into_reader();
        let mut body = Vec::new();
        let mut part = memory::filled(READ_SIZE, 0).map_err(out_of_memory)?;
        loop {
            match reader.read(&mut part) {
                Ok(0) => return Ok(body),
                Ok(len) if body.len() + len > longest => return Err(too_long()),
                Ok(len) => {
                    body.try_reserve(len).map_err(|_| out_of_memory(memory::OutOfMemory))?;
                    body.extend_from_slice(&part[..len]);
                }
                Err(error) => return Err(self.broken(&error.into())),
            }
        }
    }

    /// The error of a reply that is no success.
    fn failure(&self, status: u16, reply: Response<Body>) -> Result<Error, Error> {
        let mut text = Vec::new();
        let mut reader = reply.into_body().into_reader();
        let mut part = [0; 4096];
        while text.len() < LONGEST_ERROR {
            match reader.read(&mut part) {
                Ok(0) => break,
                Ok(len) => text.extend_from_slice(&part[..len]),
                // The status tells more than that its explanation could not be read.
                Err(_) => match self.watch.left() {
                    Ok(_) => break,
                    Err(reason) => return Err(self.given_up(reason)),
                },
            }
        }
        let mut message =
            format!("model server \"{}\" answered with HTTP status {status}", self.server);
        if let Some(told) = crate::provider::message(&text) {
            message.push_str(": ");
            message.push_str(&self.shown(&told));
        }
        let (kind, hint) = match status {
            300..=399 => (
                ErrorKind::Refused,
                "Redirects are not followed. Set the option \"url\" to where they lead.",
            ),
            401 | 403 => (
                ErrorKind::Refused,
                "Check the key in the user mapping of the server for the current user.",
            ),
            404 | 405 => (ErrorKind::Refused, "Check the options \"url\" and \"model\"."),
            400 | 413 | 422 => (
                ErrorKind::Rejected,
                "Check that the options of the server fit the model, and the input its limits.",
            ),
            429 => (
                ErrorKind::Connection,
                "The server is called too often. Wait, or set a longer \"timeout\" or a smaller \
                 \"batch\".",
            ),
            500.. => (
                ErrorKind::Connection,
                "The server failed. Try again, or set a longer \"timeout\" or a smaller \"batch\".",
            ),
            _ => (
                ErrorKind::Refused,
                "Check the options of the server, and the account at the provider.",
            ),
        };
        Ok(Error { kind, message, hint: Some(hint.into()), input: None })
    }

    /// The error of a call that had no complete reply.
    fn broken(&self, error: &ureq::Error) -> Error {
        if let Err(reason) = self.watch.left() {
            return self.given_up(reason);
        }
        if let ureq::Error::Other(other) = error
            && let Some(refused) = other.downcast_ref::<Refused>()
        {
            return Error {
                kind: ErrorKind::Forbidden,
                message: format!(
                    "model server \"{}\" is not called: {}",
                    self.server, refused.message
                ),
                hint: Some("Set the option \"url\" to the address of a model.".into()),
                input: None,
            };
        }
        let io = if let ureq::Error::Io(io) = error { Some(io) } else { None };
        if io.is_some_and(|io| io.kind() == std::io::ErrorKind::OutOfMemory) {
            return out_of_memory(memory::OutOfMemory);
        }
        let inner = io.and_then(std::io::Error::get_ref);
        let what = self.shown(&error.to_string());
        let hint = if inner.is_some_and(|inner| inner.is::<TooManyAbandoned>()) {
            "Check the name server that the database server asks, and the option \"url\". Try again \
             later, or in another session."
        } else if what.contains("certificate") {
            "The operating system of the database server must trust the authority that signed the \
             certificate: install ca-certificates, or add the authority there."
        } else {
            "Check the option \"url\", and that the server is running."
        };
        Error {
            kind: ErrorKind::Connection,
            message: format!("could not call model server \"{}\": {what}", self.server),
            hint: Some(hint.into()),
            input: None,
        }
    }

    fn given_up(&self, reason: GivenUp) -> Error {
        match reason {
            GivenUp::Stopped => Error::stopped(),
            GivenUp::TimedOut => Error {
                kind: ErrorKind::Timeout,
                message: format!(
                    "model server \"{}\" did not answer within {} ms",
                    self.server,
                    self.timeout.as_millis()
                ),
                hint: Some("Set a longer \"timeout\" or a smaller \"batch\".".into()),
                input: None,
            },
        }
    }

    /// What a server told, as it may be shown.
    fn shown(&self, text: &str) -> String {
        match &self.key {
            Some(key) => bounded(&key.removed_from(&bounded(text, 4000)), 300),
            None => bounded(text, 300),
        }
    }
}

/// How long a server asks to wait: seconds, or until a date.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get("retry-after")?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(SystemTime::now()).unwrap_or_default())
}

/// The root certificates that the operating system trusts, which are read once.
fn roots() -> Arc<Vec<Certificate<'static>>> {
    static ROOTS: OnceLock<Arc<Vec<Certificate<'static>>>> = OnceLock::new();
    let read = || {
        let found = rustls_native_certs::load_native_certs().certs;
        Arc::new(found.iter().map(|cert| Certificate::from_der(cert).to_owned()).collect())
    };
    Arc::clone(ROOTS.get_or_init(read))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(value: &str) -> Option<Duration> {
        let value = value.parse().expect("a value of a header");
        retry_after(&HeaderMap::from_iter([(ureq::http::header::RETRY_AFTER, value)]))
    }

    #[test]
    fn servers_ask_to_wait_for_seconds_or_until_a_date() {
        assert_eq!(asked(" 7 "), Some(Duration::from_secs(7)));
        assert_eq!(asked("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        let later = SystemTime::now() + Duration::from_secs(3600);
        let wait = asked(&httpdate::fmt_http_date(later)).expect("a date");
        assert!(wait <= Duration::from_secs(3600) && wait > Duration::from_secs(3000), "{wait:?}");
        for bad in ["", "soon", "-1", "1.5", "99999999999", "Wed, 21 Oct 2015"] {
            assert_eq!(asked(bad), None, "{bad}");
        }
    }
}
