//! What some work costs the server: time, processor, WAL, pages.

use std::time::Instant;

use postgres::Client;
use serde::Serialize;

use crate::Result;
use crate::machine::cpu_nanoseconds;
use crate::pages::{report_statistics, touched_of_index};
use crate::server::Server;

/// The cost of some work.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Cost {
    /// Seconds it took.
    pub wall_s: f64,
    /// Processor seconds of the clients' backends; of a private server only.
    pub cpu_s: Option<f64>,
    /// Bytes of WAL written.
    pub wal_bytes: i64,
    /// Full pages in the WAL: with `full_page_writes`, pages first changed since a checkpoint.
    pub page_images: i64,
    /// Pages of the index `items_v` touched, hit or read.
    pub index_pages: Option<i64>,
}

/// Counters at the beginning of some work.
pub struct Meter {
    local: bool,
    before: Counters,
    start: Instant,
}

struct Counters {
    cpu_ns: Option<u64>,
    wal_bytes: i64,
    page_images: i64,
    index_pages: Option<i64>,
}

impl Meter {
    /// Begins to measure what `clients` of `server` will do.
    pub fn start<'a>(
        server: &Server,
        clients: impl IntoIterator<Item = &'a mut Client>,
    ) -> Result<Self> {
        let local = server.postmaster().is_some();
        let before = Counters::read(local, clients)?;
        Ok(Self { local, before, start: Instant::now() })
    }

    /// The cost of what the same `clients` have done since.
    pub fn stop<'a>(self, clients: impl IntoIterator<Item = &'a mut Client>) -> Result<Cost> {
        let wall_s = self.start.elapsed().as_secs_f64();
        let (before, after) = (self.before, Counters::read(self.local, clients)?);
        let cpu = before.cpu_ns.zip(after.cpu_ns);
        let pages = before.index_pages.zip(after.index_pages);
        Ok(Cost {
            wall_s,
            cpu_s: cpu.map(|(before, after)| (after - before) as f64 / 1e9),
            wal_bytes: after.wal_bytes - before.wal_bytes,
            page_images: after.page_images - before.page_images,
            index_pages: pages.map(|(before, after)| after - before),
        })
    }
}

impl Counters {
    fn read<'a>(local: bool, clients: impl IntoIterator<Item = &'a mut Client>) -> Result<Self> {
        let mut cpu_ns = local.then_some(0);
        let mut last = None;
        for client in clients {
            let backend: i32 = client.query_one("SELECT pg_backend_pid()", &[])?.get(0);
            let own = u32::try_from(backend).ok().and_then(cpu_nanoseconds);
            cpu_ns = cpu_ns.zip(own).map(|(sum, own)| sum + own);
            report_statistics(client)?;
            last = Some(client);
        }
        let client = last.ok_or("no clients")?;
        let index_pages = touched_of_index(client)?;
        let wal = client.query_one(
            "SELECT (pg_current_wal_insert_lsn() - '0/0')::int8, (SELECT wal_fpi FROM pg_stat_wal)",
            &[],
        )?;
        Ok(Self { cpu_ns, wal_bytes: wal.get(0), page_images: wal.get(1), index_pages })
    }
}
