//! Building the index of a loaded table.

use std::ops::Range;
use std::time::Instant;

use postgres::Client;
use serde::Serialize;

use crate::Result;
use crate::database::{self, text};
use crate::dataset::Dataset;
use crate::exact::Metric;
use crate::machine::cpu_seconds;
use crate::server::Server;
use crate::systems::System;

/// What a build may use.
#[derive(Debug, Clone, Serialize)]
pub struct BuildLimits {
    /// `max_parallel_maintenance_workers`: processes or threads beside the first.
    pub workers: u32,
    /// `maintenance_work_mem`.
    pub maintenance_work_mem: String,
}

/// A built index.
#[derive(Debug, Clone, Serialize)]
pub struct Built {
    /// The extension's version.
    pub version: String,
    /// Seconds that CREATE INDEX took.
    pub build_s: f64,
    /// Processor seconds of CREATE INDEX, all its threads and processes; of a private server only.
    pub build_cpu_s: Option<f64>,
    /// Size of the index.
    pub index_bytes: i64,
    /// `index_bytes` by rows of the table.
    pub bytes_per_row: f64,
}

impl System {
    /// The extension's version.
    pub fn version(&self, client: &mut Client) -> Result<String> {
        let version = client.query_one(
            "SELECT extversion FROM pg_extension WHERE extname = $1",
            &[&self.extension],
        )?;
        Ok(version.get(0))
    }

    /// Loads `rows` of `dataset` into the system's database and builds the index; returns a
    /// connection, too.
    pub fn load_and_build(
        &self,
        server: &Server,
        dataset: &Dataset,
        rows: Range<usize>,
        limits: &BuildLimits,
    ) -> Result<(Client, Built)> {
        eprintln!("{}: {} loads and builds", dataset.name, self.name);
        let mut client = database::create(server, self, dataset.base.cols)?;
        database::copy(&mut client, "items", &dataset.base, rows.clone())?;
        let built = self.build(&mut client, server, dataset.metric, rows.len(), limits)?;
        Ok((client, built))
    }

    /// Builds the index `items_v` on the `rows` rows of `items`, with default options.
    pub fn build(
        &self,
        client: &mut Client,
        server: &Server,
        metric: Metric,
        rows: usize,
        limits: &BuildLimits,
    ) -> Result<Built> {
        let version = self.version(client)?;
        let Timed { build_s, build_cpu_s } =
            create_index(client, server, limits, &self.create_index(metric, rows))
                .map_err(|e| format!("{}: CREATE INDEX: {e}", self.name))?;
        let index_bytes: i64 = client.query_one("SELECT pg_relation_size('items_v')", &[])?.get(0);
        Ok(Built {
            version,
            build_s,
            build_cpu_s,
            index_bytes,
            bytes_per_row: index_bytes as f64 / rows as f64,
        })
    }
}

/// What a build took.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Timed {
    /// Seconds that CREATE INDEX took.
    pub build_s: f64,
    /// Processor seconds of CREATE INDEX, all its threads and processes; of a private server only.
    pub build_cpu_s: Option<f64>,
}

/// Runs `statement`, which builds an index on the table `items`, between two checkpoints.
pub fn create_index(
    client: &mut Client,
    server: &Server,
    limits: &BuildLimits,
    statement: &str,
) -> Result<Timed> {
    let BuildLimits { workers, maintenance_work_mem } = limits;
    // The table's own setting makes parallelism equal: the default is derived from the heap's
    // size, which is small where vectors are stored out of line.
    client.batch_execute(&format!(
        "SET maintenance_work_mem = '{maintenance_work_mem}';
         SET max_parallel_maintenance_workers = {workers};
         ALTER TABLE items SET (parallel_workers = {workers});
         CHECKPOINT"
    ))?;
    let backend: i32 = client.query_one("SELECT pg_backend_pid()", &[])?.get(0);
    // The server has waited for the helpers of a build before CREATE INDEX returns.
    let cpu = || {
        let helpers = cpu_seconds(server.postmaster()?)?.1;
        Some(cpu_seconds(u32::try_from(backend).ok()?)?.0 + helpers)
    };

    let (start, cpu_before) = (Instant::now(), cpu());
    client.batch_execute(statement).map_err(|e| text(&e))?;
    let build_s = start.elapsed().as_secs_f64();
    let build_cpu_s = cpu_before.zip(cpu()).map(|(before, after)| after - before);
    client.batch_execute("ALTER TABLE items RESET (parallel_workers); CHECKPOINT")?;
    Ok(Timed { build_s, build_cpu_s })
}
