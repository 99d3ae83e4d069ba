//! Names and connections of calls, for `ureq`.

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Instant;

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport,
};

use super::address::{Reach, refusal};
use super::watch::{TICK, Watch};

/// An address that is not called.
#[derive(Debug)]
pub(super) struct Refused {
    /// Which it is, and why.
    pub(super) message: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Refused {}

/// Whether all addresses may be called: one that may not makes the name suspect.
fn check(addresses: &[SocketAddr], reach: Reach) -> Result<(), ureq::Error> {
    for address in addresses {
        if let Some(reason) = refusal(address.ip(), reach) {
            let message = format!("address {} {reason}", address.ip());
            return Err(ureq::Error::Other(Box::new(Refused { message })));
        }
    }
    Ok(())
}

/// Resolves names, and refuses those that lead where nothing is to be called.
#[derive(Debug)]
pub(super) struct CheckedResolver {
    pub(super) watch: Arc<Watch>,
    pub(super) reach: Reach,
}

impl Resolver for CheckedResolver {
    fn resolve(
        &self,
        uri: &Uri,
        _: &Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let host = uri.host().ok_or(ureq::Error::HostNotFound)?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_string();
        let usual = if uri.scheme_str() == Some("https") { 443 } else { 80 };
        let port = uri.port_u16().unwrap_or(usual);
        let found = self.watch.abandonable(move |_| (host, port).to_socket_addrs());
        let mut addresses = self.empty();
        // As many as there is room for.
        for address in found?.take(16) {
            addresses.push(address);
        }
        if addresses.is_empty() {
            return Err(ureq::Error::HostNotFound);
        }
        check(&addresses, self.reach)?;
        Ok(addresses)
    }
}

/// Connects to the addresses that were resolved, after checking them once more.
#[derive(Debug)]
pub(super) struct CheckedConnector {
    pub(super) watch: Arc<Watch>,
    pub(super) reach: Reach,
}

impl Connector for CheckedConnector {
    type Out = Socket;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _: Option<()>,
    ) -> Result<Option<Socket>, ureq::Error> {
        check(&details.addrs, self.reach)?;
        let addresses = details.addrs.to_vec();
        let stream = self.watch.abandonable(move |left| {
            let end = Instant::now() + left;
            let mut result = Err(ErrorKind::AddrNotAvailable.into());
            for (tried, address) in addresses.iter().enumerate() {
                let left = end.saturating_duration_since(Instant::now());
                let share = left / (addresses.len() - tried) as u32;
                if share.is_zero() {
                    return Err(ErrorKind::TimedOut.into());
                }
                result = TcpStream::connect_timeout(address, share);
                if result.is_ok() {
                    break;
                }
            }
            result
        })?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TICK))?;
        stream.set_write_timeout(Some(TICK))?;
        let config = details.config;
        let buffers = LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size());
        Ok(Some(Socket { stream, buffers, watch: Arc::clone(&self.watch) }))
    }
}

/// A connection that is watched while it waits.
pub(super) struct Socket {
    stream: TcpStream,
    buffers: LazyBuffers,
    watch: Arc<Watch>,
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket").field("address", &self.stream.peer_addr().ok()).finish()
    }
}

/// Repeats an operation until it is done or given up.
fn persist(
    watch: &Watch,
    mut operation: impl FnMut() -> io::Result<usize>,
) -> Result<usize, io::Error> {
    loop {
        watch.left()?;
        match operation() {
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
                ) => {}
            result => return result,
        }
    }
}

impl Transport for Socket {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), ureq::Error> {
        let mut rest = &self.buffers.output()[..amount];
        while !rest.is_empty() {
            match persist(&self.watch, || self.stream.write(rest))? {
                0 => return Err(io::Error::from(ErrorKind::WriteZero).into()),
                written => rest = &rest[written..],
            }
        }
        Ok(())
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, ureq::Error> {
        let input = self.buffers.input_append_buf();
        let amount = persist(&self.watch, || self.stream.read(input))?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        // Anything that can be read now is no reply to a request that is not sent yet.
        let idle = self.stream.set_nonblocking(true).is_ok()
            && self.stream.peek(&mut [0]).is_err_and(|e| e.kind() == ErrorKind::WouldBlock);
        self.stream.set_nonblocking(false).is_ok() && idle
    }
}
