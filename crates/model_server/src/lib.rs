//! An HTTP server with the forms and the failures of model providers, for tests.
//!
//! It listens on a loopback address, speaks the forms of all providers at once, and misbehaves as a
//! [`Fault`] tells it to. Its vectors and scores are [`embedding`] and [`score`].
//!
//! ```
//! use model_server::{Fault, ModelServer};
//!
//! let server = ModelServer::start();
//! server.misbehave(Fault::Status { status: 429, times: 1, retry_after: Some(0) });
//! // … POST to server.url() + "/v1/embeddings": once refused, then answered …
//! assert!(server.requests().is_empty());
//! ```

// What treats a few faults in a way of its own treats all others alike.
#![allow(clippy::wildcard_enum_match_arm)]

mod forms;
mod http;

use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

pub use forms::{DIMENSIONS, embedding, score};
pub use http::Request;

/// How the server misbehaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Not at all.
    None,
    /// So many requests are answered with this status, those after them as usual.
    Status {
        /// The status.
        status: u16,
        /// How many requests.
        times: usize,
        /// The header `retry-after`, in seconds.
        retry_after: Option<u32>,
    },
    /// Requests are read and not answered.
    Silent,
    /// A reply begins and does not go on.
    Stalled,
    /// A byte of the reply now and then, forever.
    Trickling,
    /// The connection is closed before a reply.
    Closed,
    /// The connection is closed in the middle of a reply.
    Half,
    /// A text instead of JSON.
    NotJson,
    /// JSON of another form.
    OtherJson,
    /// One vector or score is missing.
    WrongCount,
    /// All have the position 0.
    WrongPositions,
    /// The last vector has a dimension less.
    WrongDimension,
    /// A number that single precision does not have.
    OutOfRange,
    /// A reply that claims to have a terabyte.
    Huge,
    /// A reply of unknown length without an end.
    Endless,
    /// Headers without an end.
    EndlessHeaders,
    /// A redirect to this address.
    Redirect(String),
    /// Status 401, with all headers of the request, line ends, and control characters in the message.
    Echo,
    /// Inputs that contain the word `poison` are refused with status 400.
    Poison,
}

#[derive(Debug)]
struct State {
    fault: Fault,
    requests: Vec<Request>,
    connections: Vec<TcpStream>,
    is_stopping: bool,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `done`.
    fn wait<'s>(&'s self, mut done: impl FnMut(&State) -> bool) -> MutexGuard<'s, State> {
        let waiting = self.changed.wait_while(self.state(), |state| !done(state));
        waiting.unwrap_or_else(PoisonError::into_inner)
    }
}

/// A server, which ends when it is dropped.
#[derive(Debug)]
pub struct ModelServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

impl ModelServer {
    /// Starts a server at a free port of 127.0.0.1.
    ///
    /// # Panics
    /// If there is none.
    pub fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("a port");
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                fault: Fault::None,
                requests: Vec::new(),
                connections: Vec::new(),
                is_stopping: false,
            }),
            changed: Condvar::new(),
        });
        let accepting = thread::spawn({
            let shared = Arc::clone(&shared);
            move || accept(&listener, &shared)
        });
        Self { address, shared, accepting: Some(accepting) }
    }

    /// Its address, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Misbehaves so from the next request on.
    pub fn misbehave(&self, fault: Fault) {
        self.shared.state().fault = fault;
    }

    /// The requests that were read, in their order.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.state().requests.clone()
    }

    /// Forgets the requests so far.
    pub fn forget(&self) {
        self.shared.state().requests.clear();
    }

    /// Waits until so many requests were read.
    pub fn wait_for_requests(&self, count: usize) {
        drop(self.shared.wait(|state| state.requests.len() >= count));
    }

    /// How many connections there were.
    pub fn connections(&self) -> usize {
        self.shared.state().connections.len()
    }
}

impl Drop for ModelServer {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        state.is_stopping = true;
        for connection in &state.connections {
            // Those that are closed already need nothing.
            let _ = connection.shutdown(Shutdown::Both);
        }
        drop(state);
        self.shared.changed.notify_all();
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.address);
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut serving = Vec::new();
    for stream in listener.incoming() {
        let mut state = shared.state();
        if state.is_stopping {
            break;
        }
        let Ok(stream) = stream else { continue };
        state.connections.extend(stream.try_clone());
        drop(state);
        let shared = Arc::clone(shared);
        // A client that goes away ends its connection, not the server.
        serving.push(thread::spawn(move || {
            let _ = serve(&stream, &shared);
            // Another handle of it is kept, so that dropping this one does not close it.
            let _ = stream.shutdown(Shutdown::Both);
        }));
    }
    for thread in serving {
        let _ = thread.join();
    }
}

/// Answers the requests of a connection.
fn serve(stream: &TcpStream, shared: &Shared) -> io::Result<()> {
    let mut connection = http::Connection::new(stream)?;
    while let Some(request) = connection.read()? {
        let mut state = shared.state();
        state.requests.push(request.clone());
        let fault = match &mut state.fault {
            Fault::Status { times, .. } if *times == 0 => Fault::None,
            fault @ Fault::Status { .. } => {
                let now = fault.clone();
                if let Fault::Status { times, .. } = fault {
                    *times -= 1;
                }
                now
            }
            other => other.clone(),
        };
        drop(state);
        shared.changed.notify_all();
        if !answer(&mut connection, &request, &fault, shared)? {
            break;
        }
    }
    Ok(())
}

/// Answers a request; returns whether the connection goes on.
fn answer(
    connection: &mut http::Connection<'_>,
    request: &Request,
    fault: &Fault,
    shared: &Shared,
) -> io::Result<bool> {
    let forever = || drop(shared.wait(|state| state.is_stopping));
    let error = serde_json::json!({ "error": { "message": "a failure of the test server" } });
    match fault {
        Fault::Status { status, retry_after, .. } => {
            let header = retry_after.map(|seconds| format!("retry-after: {seconds}\r\n"));
            connection.reply(*status, &header.unwrap_or_default(), &error.to_string())?;
        }
        Fault::Silent => forever(),
        Fault::Stalled => {
            connection.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{")?;
            forever();
        }
        Fault::Trickling => {
            connection.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n{")?;
            loop {
                connection.write(b" ")?;
                thread::sleep(std::time::Duration::from_millis(5));
            }
        }
        Fault::Closed => return Ok(false),
        Fault::Half => {
            connection.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"data\": [")?;
            return Ok(false);
        }
        Fault::NotJson => connection.reply(200, "", "<html>It works!</html>")?,
        Fault::OtherJson => connection.reply(200, "", "{\"result\": {\"vectors\": null}}")?,
        Fault::Huge => {
            connection.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000000\r\n\r\n{")?;
            forever();
        }
        Fault::Endless => {
            connection.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")?;
            let chunk = format!("10000\r\n{}\r\n", "[".repeat(0x10000));
            loop {
                connection.write(chunk.as_bytes())?;
            }
        }
        Fault::EndlessHeaders => {
            connection.write(b"HTTP/1.1 200 OK\r\n")?;
            loop {
                connection.write(b"x-filler: 0123456789\r\n")?;
            }
        }
        Fault::Redirect(to) => {
            connection.reply(302, &format!("location: {to}\r\n"), "")?;
        }
        Fault::Echo => {
            let message = format!("bad\r\n\u{7}key\u{202e}: {}", request.headers);
            let body = serde_json::json!({ "error": { "message": message } });
            connection.reply(401, "", &body.to_string())?;
        }
        Fault::Poison if request.body.to_string().contains("poison") => {
            connection.reply(400, "", &error.to_string())?;
        }
        Fault::None
        | Fault::Poison
        | Fault::WrongCount
        | Fault::WrongPositions
        | Fault::WrongDimension
        | Fault::OutOfRange => match forms::reply(request, fault) {
            Some(body) => connection.reply(200, "", &body)?,
            None => connection.reply(404, "", "{\"detail\": \"Not Found\"}")?,
        },
    }
    Ok(true)
}
