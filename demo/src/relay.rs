//! A relay before a server: it counts what the server sends.

use std::fs::{Permissions, set_permissions};
use std::io::{Read, Write, copy};
use std::net::Shutdown;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use pg_test::{Cluster, Result};

/// The port, beside the server's own in the same folder.
pub const PORT: u16 = 1;

/// What servers have sent.
#[derive(Default)]
pub struct Sent {
    rows: AtomicU64,
    bytes: AtomicU64,
}

impl Sent {
    /// The rows and bytes since the last call.
    pub fn take(&self) -> (u64, u64) {
        (self.rows.swap(0, Ordering::Relaxed), self.bytes.swap(0, Ordering::Relaxed))
    }
}

/// Relays connections to a server until the program ends.
pub fn relay(server: &Cluster, sent: &Arc<Sent>) -> Result<()> {
    let folder = server.socket_dir().to_path_buf();
    let path = |port: u16| folder.join(format!(".s.PGSQL.{port}"));
    let listener = UnixListener::bind(path(PORT))?;
    // Servers may run as another user than this program.
    set_permissions(path(PORT), Permissions::from_mode(0o666))?;
    let (server, sent) = (path(5432), sent.clone());
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            // A connection that cannot be made is closed, as the client then says.
            let _ = connect(client, &server, &sent);
        }
    });
    Ok(())
}

fn connect(client: UnixStream, server: &Path, sent: &Arc<Sent>) -> std::io::Result<()> {
    let server = UnixStream::connect(server)?;
    let (mut requests, mut to_server) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || {
        let _ = copy(&mut requests, &mut to_server);
        to_server.shutdown(Shutdown::Write)
    });
    let sent = sent.clone();
    thread::spawn(move || answer(server, client, &sent));
    Ok(())
}

fn answer(mut server: UnixStream, mut client: UnixStream, sent: &Sent) -> std::io::Result<()> {
    let (mut messages, mut buffer) = (Messages::default(), [0; 1 << 16]);
    loop {
        let count = server.read(&mut buffer)?;
        if count == 0 {
            return client.shutdown(Shutdown::Both);
        }
        sent.bytes.fetch_add(count as u64, Ordering::Relaxed);
        sent.rows.fetch_add(messages.rows(&buffer[..count]), Ordering::Relaxed);
        client.write_all(&buffer[..count])?;
    }
}

/// The messages of a server, as parts of them arrive: a letter, the length of the rest, big endian,
/// which counts itself, and the rest.
#[derive(Default)]
struct Messages {
    head: Vec<u8>,
    rest: usize,
}

impl Messages {
    /// How many rows begin in these bytes.
    fn rows(&mut self, mut bytes: &[u8]) -> u64 {
        let mut rows = 0;
        while let Some((&first, others)) = bytes.split_first() {
            if self.rest > 0 {
                let skipped = self.rest.min(bytes.len());
                self.rest -= skipped;
                bytes = &bytes[skipped..];
                continue;
            }
            self.head.push(first);
            bytes = others;
            if let [letter, a, b, c, d] = self.head[..] {
                rows += u64::from(letter == b'D');
                self.rest = (u32::from_be_bytes([a, b, c, d]) as usize).saturating_sub(4);
                self.head.clear();
            }
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::Messages;

    #[test]
    fn rows_are_counted_however_they_are_cut() {
        let stream = b"D\0\0\0\x06DDZ\0\0\0\x05ID\0\0\0\x04D\0\0\0\x05D";
        for size in 1..=stream.len() {
            let mut messages = Messages::default();
            let rows: u64 = stream.chunks(size).map(|part| messages.rows(part)).sum();
            assert_eq!(rows, 3, "{size}");
        }
    }
}
