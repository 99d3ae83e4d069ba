//! Loading a data set into a database of its own and building the index.

use std::time::Instant;

use postgres::Client;
use serde::Serialize;

use crate::Result;
use crate::dataset::Dataset;
use crate::machine::cpu_seconds;
use crate::server::Server;
use crate::systems::System;
use crate::wire::copy_rows;

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

/// The database of `system`.
pub fn database(system: &System) -> String {
    format!("sql_bench_{}", system.name)
}

/// Makes the system's database anew, loads `dataset` and builds the index with default options.
pub fn load(
    server: &Server,
    system: &System,
    dataset: &Dataset,
    limits: &BuildLimits,
) -> Result<Built> {
    drop_database(server, system)?;
    let name = database(system);
    server.maintenance()?.batch_execute(&format!("CREATE DATABASE {name}"))?;
    let mut client = server.connect(&name)?;
    client
        .batch_execute(&format!("CREATE EXTENSION {} CASCADE", system.extension))
        .map_err(|e| format!("{}: {}", system.name, text(&e)))?;
    copy(&mut client, dataset)?;
    let built = build(&mut client, server, system, dataset, limits);
    built.map_err(|e| format!("{}: {e}", system.name).into())
}

/// Removes the system's database, if there is one.
pub fn drop_database(server: &Server, system: &System) -> Result<()> {
    let statement = format!("DROP DATABASE IF EXISTS {}", database(system));
    Ok(server.maintenance()?.batch_execute(&statement)?)
}

/// The server's words for `error`.
pub fn text(error: &postgres::Error) -> String {
    error.as_db_error().map_or_else(|| error.to_string(), ToString::to_string)
}

fn copy(client: &mut Client, dataset: &Dataset) -> Result<()> {
    let dims = dataset.base.cols;
    client.batch_execute(&format!(
        "SET client_min_messages = warning;
         CREATE TABLE items (id int4 PRIMARY KEY, v vector({dims}) NOT NULL)"
    ))?;
    let mut rows = client.copy_in("COPY items FROM STDIN (FORMAT binary)")?;
    copy_rows(&mut rows, &dataset.base)?;
    rows.finish()?;
    Ok(())
}

fn build(
    client: &mut Client,
    server: &Server,
    system: &System,
    dataset: &Dataset,
    limits: &BuildLimits,
) -> Result<Built> {
    let BuildLimits { workers, maintenance_work_mem } = limits;
    // The table's own setting makes parallelism equal: the default is derived from the heap's
    // size, which is small where vectors are stored out of line.
    client.batch_execute(&format!(
        "SET maintenance_work_mem = '{maintenance_work_mem}';
         SET max_parallel_maintenance_workers = {workers};
         ALTER TABLE items SET (parallel_workers = {workers});
         CHECKPOINT"
    ))?;
    let version = client.query_one(
        "SELECT extversion FROM pg_extension WHERE extname = $1",
        &[&system.extension],
    )?;
    let backend: i32 = client.query_one("SELECT pg_backend_pid()", &[])?.get(0);
    // The server has waited for the helpers of a build before CREATE INDEX returns.
    let cpu = || {
        let helpers = cpu_seconds(server.postmaster()?)?.1;
        Some(cpu_seconds(u32::try_from(backend).ok()?)?.0 + helpers)
    };

    let (start, cpu_before) = (Instant::now(), cpu());
    client
        .batch_execute(&system.create_index(dataset.metric))
        .map_err(|e| format!("CREATE INDEX: {}", text(&e)))?;
    let build_s = start.elapsed().as_secs_f64();
    let build_cpu_s = cpu_before.zip(cpu()).map(|(before, after)| after - before);

    client.batch_execute("ALTER TABLE items RESET (parallel_workers); CHECKPOINT")?;
    let index_bytes: i64 = client.query_one("SELECT pg_relation_size('items_v')", &[])?.get(0);
    Ok(Built {
        version: version.get(0),
        build_s,
        build_cpu_s,
        index_bytes,
        bytes_per_row: index_bytes as f64 / dataset.base.rows() as f64,
    })
}
