//! As much of HTTP/1.1 as clients of models need.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use serde_json::Value;

/// Bytes of a body at most.
const LONGEST: usize = 1 << 28;

/// A request that was read.
#[derive(Clone, Debug)]
pub struct Request {
    /// With the query.
    pub path: String,
    /// As they were sent.
    pub headers: String,
    /// Null if it was no JSON.
    pub body: Value,
}

impl Request {
    /// A header by its name in small letters.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// A client.
pub(crate) struct Connection<'s> {
    reader: BufReader<&'s TcpStream>,
}

impl<'s> Connection<'s> {
    pub(crate) fn new(stream: &'s TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self { reader: BufReader::new(stream) })
    }

    /// The next request; none where the client is done.
    pub(crate) fn read(&mut self) -> io::Result<Option<Request>> {
        let mut first = String::new();
        if self.reader.read_line(&mut first)? == 0 {
            return Ok(None);
        }
        let path = first.split(' ').nth(1).unwrap_or_default().to_string();
        let mut headers = String::new();
        while self.reader.read_line(&mut headers)? > 2 {}
        let mut request = Request { path, headers, body: Value::Null };
        let length = request.header("content-length").and_then(|length| length.parse().ok());
        let length: usize = length.unwrap_or(0);
        if length > LONGEST {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let mut body = vec![0; length];
        self.reader.read_exact(&mut body)?;
        request.body = serde_json::from_slice(&body).unwrap_or_default();
        Ok(Some(request))
    }

    /// Sends a complete reply.
    pub(crate) fn reply(&mut self, status: u16, headers: &str, body: &str) -> io::Result<()> {
        let length = body.len();
        let head = format!("HTTP/1.1 {status} Status\r\ncontent-type: application/json\r\n");
        self.write(format!("{head}content-length: {length}\r\n{headers}\r\n{body}").as_bytes())
    }

    /// Sends bytes.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.reader.get_mut().write_all(bytes)
    }
}
